import type { AdapterOptions, Bucket, BucketOptions, Entry, FleetAdapter, Values } from './adapter.js';
import { Expiring } from './expiring.js';
import { type RateAsk, type Slice, type Taken, takeHits } from './rate_window.js';

interface Stored extends Entry {
  /** Milliseconds of `performance.now()`. */
  expires: number;
}

/** What machines in one process share. */
interface Store {
  listeners: Map<string, Set<(payload: string) => void>>;
  buckets: Map<string, Map<string, Stored>>;
  values: Map<string, Expiring<string>>;
  hits: Expiring<Slice[]>;
  revision: number;
}

const stores = new Map<string, Store>();

/** For one machine and for tests: machines in one process that give the same name see each other. */
export class MemoryAdapter implements FleetAdapter {
  onChange: FleetAdapter['onChange'] = () => {};
  readonly #name: string;
  readonly #subscriptions: [subject: string, listener: (payload: string) => void][] = [];
  #connected = false;

  constructor({ name }: Pick<AdapterOptions, 'name'>) {
    this.#name = name;
  }

  get connected(): boolean {
    return this.#connected;
  }

  get #store(): Store {
    let store = stores.get(this.#name);
    if (!store) {
      store = { listeners: new Map(), buckets: new Map(), values: new Map(), hits: new Expiring(), revision: 0 };
      stores.set(this.#name, store);
    }
    return store;
  }

  connect(): void {
    this.#connected = true;
    this.onChange(true);
  }

  async publish(subject: string, payloads: string[]): Promise<void> {
    const listeners = [...(this.#store.listeners.get(subject) ?? [])];
    for (const payload of payloads) for (const listener of listeners) setImmediate(listener, payload);
  }

  subscribe(subject: string, listener: (payload: string) => void): void {
    const { listeners } = this.#store;
    const set = listeners.get(subject) ?? new Set();
    listeners.set(subject, set.add(listener));
    this.#subscriptions.push([subject, listener]);
  }

  bucket({ name, ttl }: BucketOptions): Bucket {
    const store = this.#store;
    const entries = store.buckets.get(name) ?? new Map<string, Stored>();
    store.buckets.set(name, entries);
    const current = (key: string): Stored | undefined => {
      const entry = entries.get(key);
      if (entry && entry.expires <= performance.now()) entries.delete(key);
      return entries.get(key);
    };
    return {
      get: async (key) => current(key),
      put: async (key, value, revision) => {
        if ((current(key)?.revision ?? 0) !== revision) return undefined;
        store.revision += 1;
        const expires = ttl > 0 ? performance.now() + ttl : Number.POSITIVE_INFINITY;
        entries.set(key, { value, revision: store.revision, expires });
        return store.revision;
      },
      remove: async (key, revision) => {
        if (current(key)?.revision === revision) entries.delete(key);
      },
      entries: async () =>
        [...entries.keys()].flatMap((key) => {
          const entry = current(key);
          return entry ? [{ key, value: entry.value, revision: entry.revision }] : [];
        }),
    };
  }

  values(name: string): Values {
    const { values } = this.#store;
    const kept = values.get(name) ?? new Expiring<string>();
    values.set(name, kept);
    return {
      get: async (key) => kept.get(key),
      set: async (key, value, ttl) => kept.set(key, value, ttl),
      remove: async (key) => kept.delete(key),
    };
  }

  async take(key: string, ask: RateAsk): Promise<Taken> {
    const { hits } = this.#store;
    const { slices, ...taken } = takeHits(hits.get(key) ?? [], ask, Date.now());
    hits.set(key, slices, 2 * ask.window);
    return taken;
  }

  async close(): Promise<void> {
    this.#connected = false;
    for (const [subject, listener] of this.#subscriptions) this.#store.listeners.get(subject)?.delete(listener);
  }
}
