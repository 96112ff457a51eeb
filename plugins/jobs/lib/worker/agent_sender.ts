import type { Application } from '../../../../framework/index.js';
import { ACTION } from '../agent/wire.js';
import type { JobSender } from '../definition/job_queue.js';
import type { JobRecord, NewJob } from '../engine/record.js';

/** Milliseconds in which an Agent that has died is replaced. */
const AGENT_LIMIT = 10_000;
const RETRY_INTERVAL = 200;

const AGENT_IS_GONE = ['ERR_CLUTCH_MESSAGE', 'ERR_CLUTCH_NO_REPLY'];

/** Reaches the engine from an app worker: it is in the Agent. */
export class AgentSender implements JobSender {
  readonly #app: Application;
  readonly #timeout: number;

  /** @param timeout milliseconds that a call may take, of the engine's server included */
  constructor(app: Application, timeout: number) {
    this.#app = app;
    this.#timeout = timeout;
  }

  add(queue: string, job: NewJob): Promise<boolean> {
    return this.#ask(ACTION.add, { queue, job }) as Promise<boolean>;
  }

  get(queue: string, id: string): Promise<JobRecord | undefined> {
    return this.#ask(ACTION.get, { queue, id }) as Promise<JobRecord | undefined>;
  }

  /** Without an Agent it is sent again until there is one: what a lost reply was about is done once, since a job has an id. */
  async #ask(action: string, data: unknown): Promise<unknown> {
    const begin = performance.now();
    for (;;) {
      try {
        return await this.#app.messenger.request('agent', action, data, { timeout: this.#timeout });
      } catch (error) {
        const { code = '' } = error as NodeJS.ErrnoException;
        if (!AGENT_IS_GONE.includes(code) || performance.now() - begin > AGENT_LIMIT) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_INTERVAL));
      }
    }
  }
}
