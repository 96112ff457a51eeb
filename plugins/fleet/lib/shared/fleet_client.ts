import type { FleetAdapter, Values } from '../adapter/adapter.js';
import type { RateAsk, Taken } from '../adapter/rate_window.js';

/** Keys of which it is remembered that their limit is reached. */
const REMEMBERED = 10_000;

/** Hits on one key that are asked for together. */
interface Batch {
  ask: RateAsk;
  waiting: { resolve(hit: Hit): void; reject(error: Error): void }[];
}

export interface Hit {
  allowed: boolean;
  remaining: number;
  /** Milliseconds until a hit leaves the window. */
  wait: number;
}

/**
 * What app workers use of the fleet's server, through their Agent: values of sessions, and hits of rate limits. One call for a key is under way at a time;
 * hits that come meanwhile are asked for together, and none is asked for while the limit is known to be reached.
 */
export class FleetClient {
  readonly #adapter: FleetAdapter | undefined;
  readonly #values: Values | undefined;
  readonly #next = new Map<string, Batch>();
  readonly #busy = new Set<string>();
  readonly #full = new Map<string, number>();

  /** @param adapter only in the Agent, where the calls are made */
  constructor(adapter?: FleetAdapter) {
    this.#adapter = adapter;
    this.#values = adapter?.values('sessions');
  }

  async get(key: string): Promise<string | null> {
    return (await this.#values?.get(key)) ?? null;
  }

  async set(key: string, value: string, ttl: number): Promise<void> {
    await this.#values?.set(key, value, ttl);
  }

  async remove(key: string): Promise<void> {
    await this.#values?.remove(key);
  }

  async hit(key: string, limit: number, window: number): Promise<Hit> {
    const full = this.#full.get(key);
    if (full !== undefined) {
      const wait = Math.ceil(full - performance.now());
      if (wait > 0) return { allowed: false, remaining: 0, wait };
      this.#full.delete(key);
    }
    return new Promise<Hit>((resolve, reject) => {
      const batch = this.#next.get(key) ?? { ask: { count: 0, limit, window }, waiting: [] };
      batch.ask.count += 1;
      batch.waiting.push({ resolve, reject });
      this.#next.set(key, batch);
      if (!this.#busy.has(key)) void this.#drain(key);
    });
  }

  async #drain(key: string): Promise<void> {
    this.#busy.add(key);
    for (let batch = this.#next.get(key); batch; batch = this.#next.get(key)) {
      this.#next.delete(key);
      try {
        this.#settle(key, batch, await (this.#adapter as FleetAdapter).take(key, batch.ask));
      } catch (error) {
        for (const { reject } of batch.waiting) reject(error as Error);
      }
    }
    this.#busy.delete(key);
  }

  #settle(key: string, { ask, waiting }: Batch, { granted, used, wait }: Taken): void {
    for (const [index, { resolve }] of waiting.entries()) {
      const allowed = index < granted;
      resolve({ allowed, remaining: allowed ? ask.limit - used + granted - index - 1 : 0, wait });
    }
    if (granted === waiting.length) return;
    if (this.#full.size >= REMEMBERED) this.#full.clear();
    this.#full.set(key, performance.now() + wait);
  }
}
