import type { Counts, Keep } from './engine.js';
import type { JobTable } from './job_table.js';
import { isDue, isLost, type JobRecord, type JobState, shown } from './record.js';

/** For tests: nothing outlives the process. */
export class MemoryTable implements JobTable {
  readonly #queues = new Map<string, Map<string, JobRecord>>();
  readonly #paused = new Set<string>();

  #jobs(queue: string): Map<string, JobRecord> {
    let jobs = this.#queues.get(queue);
    if (!jobs) this.#queues.set(queue, (jobs = new Map()));
    return jobs;
  }

  transaction<T>(work: () => T): T {
    return work();
  }

  get(queue: string, id: string): JobRecord | undefined {
    return this.#jobs(queue).get(id);
  }

  put(queue: string, record: JobRecord): void {
    this.#jobs(queue).set(record.id, record);
  }

  nextDue(queue: string, now: number): JobRecord | undefined {
    let first: JobRecord | undefined;
    for (const record of this.#jobs(queue).values()) {
      if (isDue(record, now) && (!first || record.runAt < first.runAt)) first = record;
    }
    return first;
  }

  lost(queue: string, now: number): JobRecord[] {
    return [...this.#jobs(queue).values()].filter((record) => isLost(record, now));
  }

  nextTime(queue: string): number | undefined {
    let next = Number.POSITIVE_INFINITY;
    for (const { state, runAt, leasedUntil = next } of this.#jobs(queue).values()) {
      if (state === 'waiting') next = Math.min(next, runAt);
      else if (state === 'active') next = Math.min(next, leasedUntil);
    }
    return Number.isFinite(next) ? next : undefined;
  }

  list(queue: string, state: JobState, limit: number, now: number): JobRecord[] {
    const found = [...this.#jobs(queue).values()].map((record) => shown(record, now));
    return found
      .filter((record) => record.state === state)
      .sort((a, b) => changedAt(b) - changedAt(a))
      .slice(0, limit);
  }

  counts(queue: string, now: number): Counts {
    const counts: Counts = { waiting: 0, delayed: 0, active: 0, completed: 0, failed: 0 };
    for (const record of this.#jobs(queue).values()) counts[shown(record, now).state] += 1;
    return counts;
  }

  prune(queue: string, keep: Keep): void {
    const jobs = this.#jobs(queue);
    for (const state of ['completed', 'failed'] as const) {
      const ended = [...jobs.values()].filter((record) => record.state === state);
      ended.sort((a, b) => changedAt(b) - changedAt(a));
      for (const { id } of ended.slice(keep[state])) jobs.delete(id);
    }
  }

  isPaused(queue: string): boolean {
    return this.#paused.has(queue);
  }

  setPaused(queue: string, paused: boolean): void {
    if (paused) this.#paused.add(queue);
    else this.#paused.delete(queue);
  }

  close(): void {
    this.#queues.clear();
  }
}

function changedAt({ endedAt, startedAt, addedAt }: JobRecord): number {
  return endedAt ?? startedAt ?? addedAt;
}
