import type { IJobs } from '../../../core/index.js';
import type { InputOf, StandardSchema } from '../../contract/lib/standard_schema.js';
import type { JobQueue } from './definition/job_queue.js';
import type { JobsConfig } from './options/options.js';

export { defineJob } from './definition/define_job.js';
export type { JobInfo } from './definition/job_info.js';
export type { JobQueue } from './definition/job_queue.js';
export type { JobState } from './engine/record.js';
export type { AddedJob, AddOptions, Backoff, Job, JobOptions, JobsConfig } from './options/options.js';

type DefaultOf<M> = M extends { default: infer D } ? D : M;

/** What `add` takes: what the schema takes, else what the handler takes. */
type DataOf<D> = D extends { schema: infer S extends StandardSchema }
  ? InputOf<S>
  : D extends new (
        ...args: never[]
      ) => { handle(...args: infer A): unknown }
    ? First<A>
    : D extends (ctx: never, ...args: infer A) => unknown
      ? First<A>
      : unknown;

type First<A extends unknown[]> = A extends [] ? undefined : A[0];

/** `ctx.jobs.*` of a job file. */
export type LoadedJob<M> = JobQueue<DataOf<DefaultOf<M>>>;

declare module '../../../framework/lib/agent_class.js' {
  interface Agent {
    /** Adds jobs, by the names of their files; with plugin `jobs`. */
    jobs: IJobs;
  }
}

declare module '../../../core/types.js' {
  interface KnownConfig {
    jobs?: JobsConfig;
  }

  interface ContextExtension {
    /** Adds jobs, by the names of their files; with plugin `jobs`. */
    jobs: IJobs;
  }

  interface ApplicationExtension {
    /** Adds jobs, by the names of their files; with plugin `jobs`. */
    jobs: IJobs;
    /**
     * Runs a job now, in this process, without keeping it: for tests.
     *
     * @param name of its file, such as `email/welcome`
     * @returns what its handler returns
     */
    runJob(name: string, data?: unknown): Promise<unknown>;
  }
}
