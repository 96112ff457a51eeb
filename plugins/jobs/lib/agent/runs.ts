import type { Attempt } from '../engine/attempt.js';

interface Run {
  attempt: Attempt;
  worker: string;
  since: number;
}

/** Which app worker runs what, and who has room for more. */
export class Runs {
  readonly #concurrency: number;
  /** By token. */
  readonly #runs = new Map<string, Run>();
  readonly #closing = new Set<string>();
  /** Workers that have died, and that the Master has not taken off its list yet. */
  readonly #gone = new Set<string>();
  readonly #waiting = new Set<() => void>();
  #workers: string[] = [];

  constructor(concurrency: number) {
    this.#concurrency = concurrency;
  }

  /** @param workers those that take jobs */
  setWorkers(workers: string[]): void {
    this.#workers = workers;
    for (const worker of this.#gone) if (!workers.includes(worker)) this.#gone.delete(worker);
    for (const worker of this.#closing) if (this.of(worker).length === 0) this.#closing.delete(worker);
    this.#wake();
  }

  setClosing(worker: string): void {
    this.#closing.add(worker);
  }

  setGone(worker: string): void {
    this.#gone.add(worker);
  }

  isClosing(worker: string): boolean {
    return this.#closing.has(worker);
  }

  add(attempt: Attempt, worker: string): void {
    this.#runs.set(attempt.token, { attempt, worker, since: Date.now() });
  }

  /** The worker has it for certain, or has reported by now how it has ended. */
  adopt(attempt: Attempt, worker: string): void {
    this.#runs.set(attempt.token, { attempt, worker, since: 0 });
  }

  remove({ token }: Attempt): void {
    if (this.#runs.delete(token)) this.#wake();
  }

  has({ token }: Attempt): boolean {
    return this.#runs.has(token);
  }

  since({ token }: Attempt): number {
    return this.#runs.get(token)?.since ?? Date.now();
  }

  of(worker: string): Attempt[] {
    return [...this.#runs.values()].filter((run) => run.worker === worker).map(({ attempt }) => attempt);
  }

  /** @returns workers that run something */
  workers(): string[] {
    return [...new Set([...this.#runs.values()].map(({ worker }) => worker))];
  }

  /** @returns workers that run something and take no more */
  leaving(): string[] {
    return this.workers().filter((worker) => !this.#workers.includes(worker));
  }

  /**
   * @param limit how many of a queue a worker may run
   * @returns the worker with the fewest jobs among those with room, by chance among equals
   */
  pick(queue: string, limit = Number.POSITIVE_INFINITY): string | undefined {
    const candidates = this.#workers
      .filter((worker) => !this.#closing.has(worker) && !this.#gone.has(worker))
      .map((worker) => {
        const all = this.of(worker);
        return {
          worker,
          load: all.length,
          same: all.filter((each) => each.queue === queue).length,
          chance: Math.random(),
        };
      })
      .filter(({ load, same }) => load < this.#concurrency && same < limit);
    return candidates.sort((a, b) => a.load - b.load || a.chance - b.chance)[0]?.worker;
  }

  /** Resolves when a worker has room, or with `signal`. */
  async room(queue: string, limit: number | undefined, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.pick(queue, limit) === undefined) {
      await new Promise<void>((resolve) => {
        const end = (): void => {
          signal.removeEventListener('abort', end);
          this.#waiting.delete(end);
          resolve();
        };
        signal.addEventListener('abort', end);
        this.#waiting.add(end);
      });
    }
  }

  #wake(): void {
    for (const end of this.#waiting) end();
  }
}
