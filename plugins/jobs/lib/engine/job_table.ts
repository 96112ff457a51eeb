import type { Counts, Keep } from './engine.js';
import type { JobRecord, JobState } from './record.js';

/** Where one process at a time keeps jobs. A transaction is done wholly or not at all. */
export interface JobTable {
  transaction<T>(work: () => T): T;
  get(queue: string, id: string): JobRecord | undefined;
  put(queue: string, record: JobRecord): void;
  /** @returns the waiting job whose time came first */
  nextDue(queue: string, now: number): JobRecord | undefined;
  /** @returns active jobs whose lease is over */
  lost(queue: string, now: number): JobRecord[];
  /** @returns when the next job is due, or a lease is over */
  nextTime(queue: string): number | undefined;
  list(queue: string, state: JobState, limit: number, now: number): JobRecord[];
  counts(queue: string, now: number): Counts;
  /** Removes those that ended first. */
  prune(queue: string, keep: Keep): void;
  isPaused(queue: string): boolean;
  setPaused(queue: string, paused: boolean): void;
  close(): void;
}
