import type { JobRef, TakenJob } from './attempt.js';
import type { FinishedError, JobRecord, JobState, NewJob } from './record.js';

export interface Counts {
  waiting: number;
  delayed: number;
  active: number;
  completed: number;
  failed: number;
}

/** How many jobs that have ended an engine keeps of each queue. */
export interface Keep {
  completed: number;
  failed: number;
}

export interface EngineOptions {
  /** Separates apps on the same server. */
  name: string;
  url: string | undefined;
  /** Where the url is from, for errors. */
  source: 'config.jobs' | 'config.fleet';
  /** Options of the client, passed on as they are. */
  client: Record<string, unknown>;
  /** Of the engine `sqlite`. */
  file: string;
  /** Milliseconds until an attempt that nobody renews counts as lost. */
  lease: number;
  /** Milliseconds that a call may take. */
  timeout: number;
  keep: Keep;
  /** Where packages are looked for first. */
  baseDir: string;
  onError(error: Error): void;
}

/** Of a call to a server that has sent no reply in time: it may have been done, or be done when the server is back. */
export const LATE_CALL = {
  code: 'ERR_CLUTCH_TIMEOUT',
  fix: 'The call may have been done, or be done when the server is back: with a `key` a job can be added again without harm.',
} as const;

/**
 * Keeps jobs until they have ended. One attempt at a job is active at a time, under a lease that whoever runs it renews; one that is
 * not renewed is lost, and the job waits again. Methods that report about an attempt resolve with false if it is no longer the active one.
 */
export interface JobEngine {
  /** Rejects when the server is away; calls connect when it is back. */
  open(queues: string[]): Promise<void>;
  /** @returns false if the queue has a job of this id */
  add(queue: string, job: NewJob): Promise<boolean>;
  /** Waits for a job, up to some seconds or until `signal` is aborted; undefined if none came. */
  take(queue: string, signal: AbortSignal): Promise<TakenJob | undefined>;
  renew(ref: JobRef): Promise<boolean>;
  progress(ref: JobRef, value: number): Promise<boolean>;
  /** @param result JSON */
  complete(ref: JobRef, result: string | undefined): Promise<boolean>;
  /** @param delay milliseconds until the next attempt; undefined when there is none */
  fail(ref: JobRef, error: FinishedError, delay: number | undefined): Promise<boolean>;
  /** Has the job run again at once, as the same attempt. @param lost whether the process died that ran it, which is counted */
  giveBack(ref: JobRef, lost: boolean): Promise<boolean>;
  get(queue: string, id: string): Promise<JobRecord | undefined>;
  /** @returns the jobs in a state, those that came to it last first */
  list(queue: string, state: JobState, limit: number): Promise<JobRecord[]>;
  counts(queue: string): Promise<Counts>;
  /** Has a failed job run again, with all its attempts. @returns false if there is no failed job of this id */
  retry(queue: string, id: string): Promise<boolean>;
  /** On all machines, until `resume`; what is active goes on. */
  pause(queue: string, paused: boolean): Promise<void>;
  isPaused(queue: string): Promise<boolean>;
  close(): Promise<void>;
}
