import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { type GcCounts, noGc } from '../protocol/gc.js';

/** Node's numbers for GC_KINDS. */
const KINDS: readonly number[] = [
  constants.NODE_PERFORMANCE_GC_MINOR,
  constants.NODE_PERFORMANCE_GC_MAJOR,
  constants.NODE_PERFORMANCE_GC_INCREMENTAL,
  constants.NODE_PERFORMANCE_GC_WEAKCB,
];

/** Node's types have no `detail`. */
type GcEntry = PerformanceEntry & { detail: { kind: number } };

/** @returns what garbage collection has done in this process, from now on */
export function measureGc(): GcCounts {
  const counts = noGc();
  new PerformanceObserver((list) => {
    for (const { detail, duration } of list.getEntries() as GcEntry[]) {
      const counted = counts[KINDS.indexOf(detail.kind)];
      if (!counted) continue;
      counted[0] += 1;
      counted[1] = Math.round((counted[1] + duration) * 1000) / 1000;
    }
  }).observe({ entryTypes: ['gc'] });
  return counts;
}
