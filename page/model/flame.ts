/** Where bars of a chart go. Times are in milliseconds. */

interface Interval {
  start: number;
  took: number;
}

/**
 * Puts each interval into a row: below the one that contains it, or in a row of its own where it overlaps without being contained.
 *
 * @returns the row of each, in the order of the intervals
 */
export function rowsOf(intervals: Interval[]): number[] {
  const rows = new Array<number>(intervals.length).fill(0);
  const byStart = intervals
    .map((interval, index) => ({ ...interval, index }))
    .sort((a, b) => a.start - b.start || b.took - a.took);
  /** Row → the end of its last interval. */
  const ends: number[] = [];
  const open: { end: number; row: number }[] = [];
  for (const { start, took, index } of byStart) {
    const end = start + took;
    while (open.length > 0 && (open.at(-1) as { end: number }).end < end) open.pop();
    let row = (open.at(-1)?.row ?? -1) + 1;
    while ((ends[row] ?? Number.NEGATIVE_INFINITY) > start) row++;
    ends[row] = end;
    rows[index] = row;
    open.push({ end, row });
  }
  return rows;
}

/** @returns about five round times from 0 to the end of the chart */
export function ticksOf(end: number): number[] {
  if (end <= 0) return [0];
  const rough = end / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough) as number;
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, index) => index * step);
}
