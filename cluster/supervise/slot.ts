import { Backoff } from './backoff.js';

/** A place in the cluster that one process after another fills, and what is remembered of those before. */
export class Slot {
  readonly index: number;
  readonly backoff = new Backoff();
  restarts = 0;
  /** Why the last one that filled it ended; undefined if somebody asked for the one that fills it. */
  lastExit: string | undefined;
  /** Whether that one had been ready. */
  hasServed = false;
  #retryAt: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #retry: () => void = () => undefined;

  constructor(index: number) {
    this.index = index;
  }

  /** When the next process is started, in milliseconds since the epoch; undefined unless the slot waits for it. */
  get retryAt(): number | undefined {
    return this.#retryAt;
  }

  /** @param delay milliseconds */
  retryAfter(delay: number, retry: () => void): void {
    this.#retry = retry;
    this.#retryAt = Date.now() + delay;
    this.#timer = setTimeout(() => {
      this.#retryAt = undefined;
      retry();
    }, delay);
  }

  /** @param delay milliseconds; it waits for no longer than that */
  retryWithin(delay: number): void {
    clearTimeout(this.#timer);
    this.retryAfter(delay, this.#retry);
  }

  cancelRetry(): void {
    clearTimeout(this.#timer);
    this.#retryAt = undefined;
  }
}
