import type { Carrier } from '../../../../tracing/payloads.js';
import type { BackoffTimes } from './backoff.js';

/** One attempt at a job: what is needed to report about it, also by an Agent that has come after. */
export interface JobRef {
  queue: string;
  id: string;
  /** Names the attempt; an engine refuses reports of any other. */
  token: string;
}

export interface Attempt extends JobRef {
  key: string | undefined;
  /** From 1. */
  attempt: number;
  attempts: number;
  /** Undefined for a job that something else has added to the queue. */
  backoff: BackoffTimes | undefined;
  /** Milliseconds since the epoch. */
  addedAt: number;
  carrier?: Carrier;
}

export interface TakenJob extends Attempt {
  /** JSON. */
  data: string;
}
