import { MOST_SLOW, SLOW_AGE, type SlowRequest } from '../protocol/slow_request.js';

/** Milliseconds after the last look. */
const WATCH_TIME = 15_000;

/** The slowest requests of the last minutes in all workers, recorded while somebody looks. */
export class SlowRequests {
  readonly #onWatch: (isWatched: boolean) => void;
  #slowest: SlowRequest[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param onWatch called when somebody begins to look, and when nobody does any more */
  constructor(onWatch: (isWatched: boolean) => void) {
    this.#onWatch = onWatch;
  }

  get isWatched(): boolean {
    return this.#timer !== undefined;
  }

  /** @param pid of the worker: threads do not know theirs */
  add(pid: number, requests: readonly SlowRequest[]): void {
    for (const request of requests) this.#slowest.push({ ...request, pid });
    this.#trim();
  }

  #trim(): void {
    const oldest = Date.now() - SLOW_AGE;
    this.#slowest = this.#slowest
      .filter(({ at }) => at > oldest)
      .sort((a, b) => b.took - a.took)
      .slice(0, MOST_SLOW);
  }

  /** The slowest first. Has the workers record from now on, until nobody has called it for a while. */
  look(): readonly SlowRequest[] {
    if (this.#timer) this.#timer.refresh();
    else {
      this.#onWatch(true);
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#onWatch(false);
      }, WATCH_TIME).unref();
    }
    this.#trim();
    return this.#slowest;
  }
}
