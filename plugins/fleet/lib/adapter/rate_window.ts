/** Parts of a window in which hits are counted together. */
export const SLICES = 20;

/** A slice by its number since the epoch, and its hits. */
export type Slice = [number: number, hits: number];

export interface RateAsk {
  /** Hits that are asked for. */
  count: number;
  /** Hits in a window at most. */
  limit: number;
  /** Milliseconds. */
  window: number;
}

export interface Taken {
  granted: number;
  /** Hits in the window, with those that are granted now. */
  used: number;
  /** Milliseconds until the oldest hits leave the window. */
  wait: number;
}

/**
 * A sliding window in slices: a hit counts for at least the whole window, and for a twentieth of it longer at most. So no window of that length has more
 * hits than the limit, wherever it begins. A clock that goes back is taken to stand still.
 *
 * @param slices the oldest first
 * @param now milliseconds since the epoch
 */
export function takeHits(
  slices: readonly Slice[],
  { count, limit, window }: RateAsk,
  now: number,
): Taken & { slices: Slice[] } {
  const size = window / SLICES;
  const current = Math.max(Math.floor(now / size), slices.at(-1)?.[0] ?? 0);
  const kept = slices.filter(([number]) => number >= current - SLICES);
  const before = kept.reduce((sum, [, hits]) => sum + hits, 0);
  const granted = Math.max(0, Math.min(count, limit - before));
  if (granted > 0) {
    const last = kept.at(-1);
    if (last?.[0] === current) kept[kept.length - 1] = [current, last[1] + granted];
    else kept.push([current, granted]);
  }
  const oldest = kept[0]?.[0];
  const wait = oldest === undefined ? 0 : Math.max(1, Math.ceil((oldest + SLICES + 1) * size - now));
  return { granted, used: before + granted, wait, slices: kept };
}
