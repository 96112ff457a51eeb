/** How long a failed job waits, in milliseconds. */
export interface BackoffTimes {
  type: 'fixed' | 'exponential';
  /** Before the second attempt. */
  delay: number;
  /** The longest. */
  max: number;
  /** The share of a delay that is left to chance: jobs that failed together do not come back together. */
  jitter: number;
}

/** @returns milliseconds until the next attempt after `failures` attempts have failed */
export function backoffDelay(
  { type, delay, max, jitter }: BackoffTimes,
  failures: number,
  random = Math.random,
): number {
  const full = Math.min(max, type === 'fixed' ? delay : delay * 2 ** Math.min(failures - 1, 52));
  return Math.round(full * (1 - jitter * random()));
}
