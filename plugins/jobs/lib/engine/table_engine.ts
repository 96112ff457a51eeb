import { randomUUID } from 'node:crypto';
import type { JobRef, TakenJob } from './attempt.js';
import type { Counts, EngineOptions, JobEngine } from './engine.js';
import type { JobTable } from './job_table.js';
import {
  claimed,
  completed,
  type FinishedError,
  failed,
  givenBack,
  isActive,
  type JobRecord,
  type JobState,
  type NewJob,
  newRecord,
  renewed,
  retried,
  shown,
  takenFrom,
} from './record.js';
import { Waiters } from './waiters.js';

/** Milliseconds until a job is noticed that another process has added to the same file. */
const POLL = 1000;

/** The engines `memory` and `sqlite`: one machine. */
export class TableEngine implements JobEngine {
  readonly #table: JobTable;
  readonly #options: Pick<EngineOptions, 'lease' | 'keep'>;
  readonly #waiters = new Waiters();

  constructor(table: JobTable, options: Pick<EngineOptions, 'lease' | 'keep'>) {
    this.#table = table;
    this.#options = options;
  }

  async open(): Promise<void> {
    // The table is open.
  }

  async add(queue: string, job: NewJob): Promise<boolean> {
    const { id } = job;
    const record = newRecord(job, Date.now());
    const isNew = this.#table.transaction(() => {
      if (this.#table.get(queue, id)) return false;
      this.#table.put(queue, record);
      return true;
    });
    if (isNew) this.#waiters.wake(queue);
    return isNew;
  }

  async take(queue: string, signal: AbortSignal): Promise<TakenJob | undefined> {
    const taken = this.#take(queue);
    if (taken || signal.aborted) return taken;
    const next = this.#table.isPaused(queue) ? undefined : this.#table.nextTime(queue);
    const wait = next === undefined ? POLL : Math.min(Math.max(next - Date.now(), 0), POLL);
    await this.#waiters.wait(queue, wait, signal);
    return signal.aborted ? undefined : this.#take(queue);
  }

  #take(queue: string): TakenJob | undefined {
    const table = this.#table;
    return table.transaction(() => {
      const now = Date.now();
      const lost = table.lost(queue, now);
      for (const record of lost) table.put(queue, givenBack(record, true, now));
      if (lost.length > 0) table.prune(queue, this.#options.keep);
      const due = table.isPaused(queue) ? undefined : table.nextDue(queue, now);
      if (!due) return undefined;
      const token = randomUUID();
      table.put(queue, claimed(due, token, this.#options.lease, now));
      return takenFrom(queue, due, token);
    });
  }

  async renew(ref: JobRef): Promise<boolean> {
    return this.#change(ref, (record, now) => renewed(record, this.#options.lease, now));
  }

  async progress(ref: JobRef, progress: number): Promise<boolean> {
    return this.#change(ref, (record) => ({ ...record, progress }));
  }

  async complete(ref: JobRef, result: string | undefined): Promise<boolean> {
    return this.#change(ref, (record, now) => completed(record, result, now));
  }

  async fail(ref: JobRef, error: FinishedError, delay: number | undefined): Promise<boolean> {
    return this.#change(ref, (record, now) => failed(record, error, delay, now));
  }

  async giveBack(ref: JobRef, lost: boolean): Promise<boolean> {
    return this.#change(ref, (record, now) => givenBack(record, lost, now));
  }

  #change({ queue, id, token }: JobRef, change: (record: JobRecord, now: number) => JobRecord): boolean {
    const table = this.#table;
    return table.transaction(() => {
      const record = table.get(queue, id);
      if (!record || !isActive(record, token)) return false;
      const next = change(record, Date.now());
      table.put(queue, next);
      if (next.endedAt !== undefined) table.prune(queue, this.#options.keep);
      else if (next.state === 'waiting') this.#waiters.wake(queue);
      return true;
    });
  }

  async get(queue: string, id: string): Promise<JobRecord | undefined> {
    const record = this.#table.get(queue, id);
    return record && shown(record, Date.now());
  }

  async list(queue: string, state: JobState, limit: number): Promise<JobRecord[]> {
    return this.#table.list(queue, state, limit, Date.now());
  }

  async counts(queue: string): Promise<Counts> {
    return this.#table.counts(queue, Date.now());
  }

  async retry(queue: string, id: string): Promise<boolean> {
    const table = this.#table;
    return table.transaction(() => {
      const record = table.get(queue, id);
      if (record?.state !== 'failed') return false;
      table.put(queue, retried(record, Date.now()));
      this.#waiters.wake(queue);
      return true;
    });
  }

  async pause(queue: string, paused: boolean): Promise<void> {
    this.#table.setPaused(queue, paused);
    this.#waiters.wake(queue);
  }

  async isPaused(queue: string): Promise<boolean> {
    return this.#table.isPaused(queue);
  }

  async close(): Promise<void> {
    this.#table.close();
  }
}
