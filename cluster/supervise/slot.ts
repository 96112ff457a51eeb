import { Backoff } from './backoff.js';

/** A place in the cluster that one process after another fills, and what is remembered of those before. */
export class Slot {
  readonly index: number;
  readonly backoff = new Backoff();
  restarts = 0;
  /** Why the last one that filled it ended. */
  lastExit: string | undefined;

  constructor(index: number) {
    this.index = index;
  }
}
