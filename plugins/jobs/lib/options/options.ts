import type { Secret } from '../../../../output/secrets.js';

/** A number of milliseconds, or a text such as `'10s'`. */
type Time = number | string;

/** How long a failed job waits for its next attempt: a time, or how it grows. */
export type Backoff =
  | Time
  | {
      /** `exponential` doubles with each attempt. Default `exponential`. */
      type?: 'fixed' | 'exponential';
      /** Before the second attempt. Default `1s`. */
      delay?: Time;
      /** The longest. Default `1h`. */
      max?: Time;
      /** The share of it that is left to chance. Default 0.5. */
      jitter?: number;
    };

/** What a job file may say of all jobs of its name. */
export interface JobOptions {
  /** Attempts before a job is kept as failed. Default `config.jobs.attempts`. */
  attempts?: number;
  backoff?: Backoff;
  /** Time that an attempt may take; then `job.signal` is aborted and the attempt has failed. Default: no limit. */
  timeout?: Time;
  /** Jobs of this name that an app worker runs at the same time, within `config.jobs.concurrency`. */
  concurrency?: number;
}

export interface AddOptions {
  /** Time until it may run. */
  delay?: Time;
  attempts?: number;
  backoff?: Backoff;
  /** Adding a key again, while there is a job of it, adds nothing. */
  key?: string;
}

/** What `add` resolves with. */
export interface AddedJob {
  id: string;
  /** False if there was a job of this key: `id` is its id. */
  added: boolean;
}

/** One attempt at a job, as its handler sees it. */
export interface Job {
  readonly id: string;
  readonly name: string;
  readonly key: string | undefined;
  /** From 1. */
  readonly attempt: number;
  readonly attempts: number;
  readonly addedAt: Date;
  /** Aborted when the time limit is over, or when another process may run the job. */
  readonly signal: AbortSignal;
  /** Reports how far it is, from 0 to 100. Resolves when that is kept. */
  progress(value: number): Promise<void>;
}

export interface JobsConfig {
  engine?: 'redis' | 'nats' | 'sqlite' | 'memory' | undefined;
  /** Of the server. Default: that of `config.fleet`, if its adapter is the same. */
  url?: string | Secret;
  /** Options of the client, passed on as they are. Default: those of `config.fleet`. */
  client?: Record<string, unknown>;
  /** Separates apps on the same server. Default: the name of the fleet, or of the app. */
  name?: string;
  /** The file of the engine `sqlite`. Default: `data/jobs.db` in the app. */
  file?: string;
  concurrency?: number;
  attempts?: number;
  backoff?: Backoff;
  keep?: { completed?: number; failed?: number };
  lease?: Time;
  timeout?: Time;
}
