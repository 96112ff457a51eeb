/** Bounds of a decade: a quantile is found between two that are at most a third apart. */
const STEPS = [1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8];
/** Milliseconds. Requests are counted by the first bound that they do not exceed; the last bucket, without a bound, has all others. */
export const LATENCY_BOUNDS: readonly number[] = [0.1, 1, 10, 100, 1000]
  .flatMap((decade) => STEPS.map((step) => Math.round(decade * step * 1000) / 1000))
  .concat(10_000);

/** @returns zero for each bucket */
export function noCounts(): number[] {
  return new Array<number>(LATENCY_BOUNDS.length + 1).fill(0);
}

const MICROSECONDS = LATENCY_BOUNDS.map((bound) => bound * 1000);
const LONGEST = LATENCY_BOUNDS.at(-1) as number;
/** By the position of the highest bit of a number of microseconds: the first bucket that it can be in. */
const FIRST = Array.from({ length: 25 }, (_, bit) => MICROSECONDS.findIndex((bound) => bound >= 2 ** bit));

/** @returns the index of the bucket that counts a request of so many milliseconds */
export function bucketOf(milliseconds: number): number {
  if (milliseconds > LONGEST) return LATENCY_BOUNDS.length;
  const microseconds = Math.ceil(milliseconds * 1000);
  let index = FIRST[31 - Math.clz32(microseconds | 1)] as number;
  while (microseconds > (MICROSECONDS[index] as number)) index += 1;
  return index;
}

/**
 * @param counts by bucket
 * @param share 0.5 for the median
 * @returns milliseconds to three digits; undefined if nothing was counted
 */
export function quantile(counts: readonly number[], share: number): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  let left = share * total;
  for (const [index, count] of counts.entries()) {
    if (left > count || count === 0) {
      left -= count;
      continue;
    }
    const from = LATENCY_BOUNDS[index - 1] ?? 0;
    const to = LATENCY_BOUNDS[index] ?? LONGEST;
    return Number((from + ((to - from) * left) / count).toPrecision(3));
  }
  return LONGEST;
}
