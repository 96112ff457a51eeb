import { ClutchError } from '../../../../errors.js';
import { type Application, milliseconds } from '../../../../framework/index.js';
import { toJson } from '../definition/job_data.js';
import type { JobDefinition } from '../definition/job_definition.js';
import { loadJobs } from '../definition/load_jobs.js';
import { AgentSender } from './agent_sender.js';
import { JobWorker } from './job_worker.js';
import { runJob } from './run_job.js';

/** The jobs of an app worker: what it can add, and what it runs. */
export class AppJobs {
  readonly #app: Application;
  readonly #definitions: Map<string, JobDefinition>;
  readonly #worker: JobWorker;

  constructor(app: Application) {
    this.#app = app;
    // The Agent waits for a connection, then for a reply; this one ends after that.
    const timeout = 2 * milliseconds(app.config.jobs?.timeout ?? '5s', 'config.jobs.timeout') + 2000;
    this.#definitions = loadJobs(app, new AgentSender(app, timeout));
    this.#worker = new JobWorker(app, this.#definitions);
  }

  /** @throws {ClutchError} ERR_CLUTCH_NOT_FOUND, ERR_CLUTCH_CONTRACT, and what the handler throws */
  async run(name: string, data: unknown): Promise<unknown> {
    const definition = this.#definitions.get(name);
    if (!definition) {
      throw new ClutchError('ERR_CLUTCH_NOT_FOUND', `there is no job ${name}`, {
        fix: `There are: ${[...this.#definitions.keys()].join(', ') || 'none'}.`,
      });
    }
    const { attempts, backoff } = definition.defaults;
    const job = {
      id: 'test',
      key: undefined,
      data: toJson(name, data),
      attempt: 1,
      attempts,
      backoff,
      addedAt: Date.now(),
    };
    return runJob(this.#app, definition, job, new AbortController(), async () => undefined);
  }

  close(): Promise<void> {
    return this.#worker.close();
  }
}
