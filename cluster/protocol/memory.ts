import { getHeapStatistics } from 'node:v8';

let lastRss = 0;

/** @returns resident memory in bytes; the last known value while the process has no descriptor left to read it with */
export function residentMemory(): number {
  try {
    lastRss = process.memoryUsage.rss();
  } catch {
    // EMFILE or ENFILE: on Linux the value is read from a file below /proc.
  }
  return lastRss;
}

/** @returns used heap of V8 in bytes, read without a descriptor */
export function usedHeap(): number {
  return getHeapStatistics().used_heap_size;
}

/** @returns in bytes what the heap of V8 may use at most, the young generation included */
export function heapLimit(): number {
  return getHeapStatistics().heap_size_limit;
}
