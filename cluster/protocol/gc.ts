/** Kinds of garbage collection, in the order in which they are reported. */
export const GC_KINDS = ['minor', 'major', 'incremental', 'weakcb'] as const;

/** For each of GC_KINDS how often it was done, and how many milliseconds it took in all. */
export type GcCounts = [count: number, took: number][];

export function noGc(): GcCounts {
  return GC_KINDS.map(() => [0, 0]);
}

export function addGc(to: GcCounts, from: GcCounts): void {
  for (const [index, sum] of to.entries()) {
    sum[0] += from[index]?.[0] ?? 0;
    sum[1] += from[index]?.[1] ?? 0;
  }
}
