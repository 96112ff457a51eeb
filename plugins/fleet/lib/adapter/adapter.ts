import type { RateAsk, Taken } from './rate_window.js';

/** A value in a bucket. */
export interface Entry {
  value: string;
  /** Grows with every write to the bucket, and goes on growing after the entry has expired: a fencing token. */
  revision: number;
}

/** Values that are written by compare-and-set; each expires `ttl` milliseconds after it was last written. */
export interface Bucket {
  get(key: string): Promise<Entry | undefined>;
  /**
   * Writes `value` if the entry still has `revision`; 0 means that there must be no entry.
   *
   * @returns the new revision, undefined if another writer was first
   */
  put(key: string, value: string, revision: number): Promise<number | undefined>;
  /** Removes the entry if it still has `revision`. */
  remove(key: string, revision: number): Promise<void>;
  entries(): Promise<(Entry & { key: string })[]>;
}

/** Values that live for a time of their own; the last writer wins. */
export interface Values {
  get(key: string): Promise<string | undefined>;
  /** @param ttl milliseconds */
  set(key: string, value: string, ttl: number): Promise<void>;
  remove(key: string): Promise<void>;
}

export interface BucketOptions {
  /** Lower-case letters and hyphens. */
  name: string;
  /** Milliseconds; 0 keeps entries for ever. All machines must give the same. */
  ttl: number;
}

/**
 * What the fleet needs of a server. Leases, members and schedules are made of buckets. An adapter reconnects by itself; while it
 * is not connected, every call rejects at once, and none takes longer than `timeout` of its options.
 */
export interface FleetAdapter {
  readonly connected: boolean;
  /** Called with each change of `connected`, and with the error of a failed connection. */
  onChange: (connected: boolean, error?: Error) => void;
  /** Starts to connect. */
  connect(): void;
  /** Publishes in order; at most once. */
  publish(subject: string, payloads: string[]): Promise<void>;
  /** Goes on after a reconnection; what was published meanwhile is lost. */
  subscribe(subject: string, listener: (payload: string) => void): void;
  bucket(options: BucketOptions): Bucket;
  values(name: string): Values;
  /** Counts hits of a rate limit, of which all machines have one count. */
  take(key: string, ask: RateAsk): Promise<Taken>;
  close(): Promise<void>;
}

export interface AdapterOptions {
  /** Of the fleet: separates it from others on the same server. */
  name: string;
  url: string | undefined;
  /** Options of the client, passed on as they are. */
  client: Record<string, unknown>;
  /** Milliseconds that a call may take. */
  timeout: number;
  /** Where the client's package is looked for first. */
  baseDir: string;
}

/** Milliseconds between two attempts to connect: grows up to 2 s, with jitter, so that a fleet does not come back at one moment. */
export function reconnectDelay(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(2000, 50 * 2 ** Math.min(attempt, 10));
  return Math.round(ceiling / 2 + (random() * ceiling) / 2);
}
