import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeDirectory } from '../../../output/make_directory.js';
import { maskText } from '../../../output/secrets.js';
import type { JobResult } from './types.js';

/** Runs that are kept of each schedule. */
const LIMIT = 20;
/** Milliseconds in which results are gathered before they are written. */
const WRITE_DELAY = 500;

/** One run that has ended. */
export interface PastRun {
  id: string;
  /** When it ended, in milliseconds since the epoch. */
  at: number;
  /** Milliseconds. */
  rt: number;
  success: boolean;
  /** Pid, or thread id. */
  worker: number | undefined;
  /** Why it failed. */
  message: string;
}

/** The last runs of each schedule, kept over restarts in `<rundir>/schedule_history.json`. */
export class History {
  readonly #file: string;
  readonly #onError: (error: Error) => void;
  #runs: Record<string, PastRun[]> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(rundir: string, onError: (error: Error) => void) {
    this.#file = path.join(rundir, 'schedule_history.json');
    this.#onError = onError;
  }

  /** @returns the runs of a schedule, the last one first */
  of(key: string): readonly PastRun[] {
    return this.#read()[key] ?? [];
  }

  add({ key, id, rt, success, workerId, message }: JobResult): void {
    const runs = this.#read();
    const run = { id, at: Date.now(), rt, success, worker: workerId, message: maskText(message) };
    runs[key] = [run, ...(runs[key] ?? [])].slice(0, LIMIT);
    this.#timer ??= setTimeout(() => this.flush(), WRITE_DELAY).unref();
  }

  #read(): Record<string, PastRun[]> {
    if (!this.#runs) {
      this.#runs = Object.create(null) as Record<string, PastRun[]>;
      try {
        Object.assign(this.#runs, JSON.parse(readFileSync(this.#file, 'utf8')));
      } catch {
        // There is none yet, or it cannot be read: it begins anew.
      }
    }
    return this.#runs;
  }

  /** Writes what is new. A directory that cannot be written does not keep schedules from running. */
  flush(): void {
    if (!this.#timer) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      makeDirectory(path.dirname(this.#file));
      writeFileSync(`${this.#file}.tmp`, JSON.stringify(this.#runs));
      renameSync(`${this.#file}.tmp`, this.#file);
    } catch (error) {
      this.#onError(error as Error);
    }
  }
}
