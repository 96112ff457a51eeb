/** Milliseconds that a process must live for the crash-loop exits before it to be forgotten. */
const HEALTHY_LIFE = 60_000;
const FIRST_DELAY = 1000;
const LONGEST_DELAY = 30_000;
/** So many crash-loop exits in a row are followed by a replacement at once. */
const FREE_EXITS = 3;

/** Decides how long to wait before a process that died is replaced. */
export class Backoff {
  #exits = 0;

  /** Crash-loop exits in a row, which is also the number of the next attempt. */
  get attempt(): number {
    return this.#exits;
  }

  /** Whether the next crash-loop exit would be followed by a delay. */
  get active(): boolean {
    return this.#exits >= FREE_EXITS;
  }

  /**
   * @param life how long the process lived, in milliseconds
   * @param random between 0 and 1, for the jitter
   * @returns milliseconds until it should be replaced: 0 at first, then doubling from 1 s to 30 s
   */
  delayAfter(life: number, random = Math.random()): number {
    if (life >= HEALTHY_LIFE) this.#exits = 0;
    this.#exits += 1;
    const over = this.#exits - FREE_EXITS;
    if (over <= 0) return 0;
    const delay = Math.min(FIRST_DELAY * 2 ** (over - 1), LONGEST_DELAY);
    return Math.round(delay * (0.75 + random / 4));
  }
}

/** Signals with which someone else ends a process; the others are its own fault, such as SIGSEGV and SIGABRT. */
const FROM_OUTSIDE = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2']);

/** Whether someone else ended a process, which says nothing about its code: no reason to wait. */
export function killedFromOutside(signal: string | null): boolean {
  return signal !== null && FROM_OUTSIDE.has(signal);
}
