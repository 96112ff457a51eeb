import type { Attempt, JobRef } from '../engine/attempt.js';
import type { FinishedError, NewJob } from '../engine/record.js';

/** Requests between the Agent and app workers. */
export const ACTION = {
  /** To the Agent: an Addition, replied to with whether the job is new. */
  add: 'clutch-jobs:add',
  /** To the Agent: { queue, id }, replied to with the record. */
  get: 'clutch-jobs:get',
  /** To an app worker: a TakenJob, replied to with an Acceptance. */
  run: 'clutch-jobs:run',
  /** To an app worker: replied to with WorkerState. */
  state: 'clutch-jobs:state',
  /** To an app worker: a JobRef of an attempt that another process may run by now. */
  lost: 'clutch-jobs:lost',
  /** To the Agent: an Outcome. */
  done: 'clutch-jobs:done',
  /** To the Agent: a Progress. */
  progress: 'clutch-jobs:progress',
  /** To the Agent: a JobsCommand, from `clutch jobs` and the admin page. */
  command: 'clutch-jobs',
} as const;

export interface Addition {
  queue: string;
  job: NewJob;
}

/** Why an app worker does not run a job: it closes, or its code has no such job. */
type Refusal = 'closing' | 'unknown';

export type Acceptance = { accepted: true } | { accepted: false; reason: Refusal };

export interface WorkerState {
  running: Attempt[];
  closing: boolean;
}

/** How an attempt has ended. */
export type Outcome = { attempt: Attempt } & (
  | { is: 'completed'; result: string | undefined }
  /** `final`: another attempt would fail as well. */
  | { is: 'failed'; error: FinishedError; final: boolean }
  /** The process ends before the job does. */
  | { is: 'unfinished' }
);

export interface Progress {
  ref: JobRef;
  value: number;
}

export type JobsCommand =
  | { command: 'list'; queue?: string }
  /** As `list`, without the jobs that have failed. */
  | { command: 'counts' }
  | { command: 'retry'; id: string; queue?: string }
  | { command: 'pause' | 'resume'; queue: string };

/** One queue, as `list` and `counts` show it. */
export interface QueueReport {
  name: string;
  paused: boolean;
  waiting: number;
  active: number;
  delayed: number;
  completed: number;
  failed: number;
  /** The last ones first; with `list` only. */
  failedJobs: { id: string; key?: string; error: string; at: string; attempts: number }[];
}
