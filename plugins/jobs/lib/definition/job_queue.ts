import { milliseconds } from '../../../../framework/index.js';
import { channels, trace } from '../../../../tracing/channels.js';
import type { Carrier } from '../../../../tracing/payloads.js';
import type { JobRecord, NewJob } from '../engine/record.js';
import { readBackoff, wholeNumber } from '../options/config.js';
import type { AddedJob, AddOptions } from '../options/options.js';
import { toJson, validData } from './job_data.js';
import type { JobDefinition } from './job_definition.js';
import { idOfKey, isJobId, newJobId } from './job_id.js';
import { infoOf, type JobInfo } from './job_info.js';

/** How the process reaches the engine, which is in the Agent. */
export interface JobSender {
  /** @returns false if there is a job of this id */
  add(queue: string, job: NewJob): Promise<boolean>;
  get(queue: string, id: string): Promise<JobRecord | undefined>;
}

type AddArguments<Data> = undefined extends Data
  ? [data?: Data, options?: AddOptions]
  : [data: Data, options?: AddOptions];

/** `ctx.jobs.<name>`: adds jobs of one file. */
export class JobQueue<Data = unknown> {
  readonly #definition: JobDefinition;
  readonly #sender: JobSender;

  constructor(definition: JobDefinition, sender: JobSender) {
    this.#definition = definition;
    this.#sender = sender;
  }

  /**
   * Adds a job. It is kept when this resolves.
   *
   * @throws {ClutchError} ERR_CLUTCH_CONTRACT with each fault of the data, ERR_CLUTCH_JOBS; after ERR_CLUTCH_TIMEOUT the job may
   * have been added: with a `key` it can be added again without harm
   */
  async add(...[data, options = {}]: AddArguments<Data>): Promise<AddedJob> {
    const { name, schema, defaults } = this.#definition;
    await validData(name, schema, data);
    const { key, delay = 0, attempts = defaults.attempts, backoff } = options;
    const job: NewJob = {
      id: key === undefined ? newJobId() : idOfKey(key),
      key,
      data: toJson(name, data),
      delay: milliseconds(delay, 'options.delay'),
      attempts: wholeNumber(attempts, 'options.attempts', 1),
      backoff: backoff === undefined ? defaults.backoff : readBackoff(backoff, 'options.backoff'),
    };
    const { id } = job;
    if (!channels.job.hasSubscribers) return { id, added: await this.#sender.add(name, job) };
    const carrier: Carrier = {};
    const payload = { phase: 'add', queue: name, id, attempt: 0, carrier } as const;
    return { id, added: await trace('job', payload, () => this.#sender.add(name, { ...job, carrier })) };
  }

  /** @returns the job as it is kept, undefined if it is not (any longer) */
  async get(id: string): Promise<JobInfo | undefined> {
    // Often from a URL: nothing else is read of the engine.
    if (!isJobId(id)) return undefined;
    const record = await this.#sender.get(this.#definition.name, id);
    return record && infoOf(record);
  }
}
