import type { KV } from '@nats-io/kv';
import type { NatsConnection, NodeConnectionOptions } from '@nats-io/transport-node';
import { ClutchError } from '../../../errors.js';
import {
  type AdapterOptions,
  type Bucket,
  type BucketOptions,
  type FleetAdapter,
  reconnectDelay,
  type Values,
} from '../lib/adapter/adapter.js';
import { loadClient } from '../lib/adapter/load_client.js';
import { natsServers } from '../lib/adapter/nats_servers.js';
import { type RateAsk, type Slice, type Taken, takeHits } from '../lib/adapter/rate_window.js';
import { ServerErrors } from '../lib/adapter/server_errors.js';

/** JetStream's code for a compare-and-set that came too late; the second one has no number in its text. */
const WRONG_SEQUENCE = [10071, 10164];

const DAY = 24 * 60 * 60 * 1000;
/** Milliseconds that a bucket of values keeps each at most: NATS has one time for all of a bucket. */
const LONGEST_LIFE = 30 * DAY;
/** Attempts of a compare-and-set against the other machines. */
const ATTEMPTS = 20;

/** NATS 2.9 or later with JetStream: messages over core NATS, buckets as JetStream key-value stores. */
export class NatsAdapter implements FleetAdapter {
  onChange: FleetAdapter['onChange'] = () => {};
  readonly #options: AdapterOptions;
  readonly #prefix: string;
  readonly #errors: ServerErrors;
  readonly #subscriptions: [subject: string, listener: (payload: string) => void][] = [];
  readonly #transport: typeof import('@nats-io/transport-node');
  readonly #kv: typeof import('@nats-io/kv');
  readonly #stores = new Map<string, Promise<KV>>();
  #connection: NatsConnection | undefined;
  #connected = false;
  #closed = false;
  #attempt = 0;

  constructor(options: AdapterOptions) {
    this.#options = options;
    this.#prefix = `clutch.${options.name}.`;
    const { url, client } = options;
    this.#errors = new ServerErrors({ code: 'ERR_CLUTCH_FLEET', name: 'NATS', config: 'config.fleet', url, client });
    const asker = {
      baseDir: options.baseDir,
      code: 'ERR_CLUTCH_FLEET',
      where: 'config.fleet.adapter is "nats"',
    } as const;
    this.#transport = loadClient('@nats-io/transport-node', asker);
    this.#kv = loadClient('@nats-io/kv', asker);
  }

  get connected(): boolean {
    return this.#connected;
  }

  connect(): void {
    void this.#connect();
  }

  async #connect(): Promise<void> {
    const { url, client, timeout } = this.#options;
    while (!this.#closed) {
      try {
        const options: NodeConnectionOptions = {
          ...natsServers(url),
          timeout,
          maxReconnectAttempts: -1,
          reconnectDelayHandler: () => reconnectDelay(this.#attempt++),
          pingInterval: timeout,
          maxPingOut: 2,
          ...client,
        };
        const connection = await this.#transport.connect(options);
        if (this.#closed) return void connection.close();
        this.#connection = connection;
        for (const [subject, listener] of this.#subscriptions) this.#listen(subject, listener);
        this.#change(true);
        void this.#follow(connection);
        return;
      } catch (error) {
        this.onChange(false, this.#errors.noConnection(error));
        await new Promise((resolve) => setTimeout(resolve, reconnectDelay(this.#attempt++)).unref());
      }
    }
  }

  async #follow(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === 'disconnect' || status.type === 'close') this.#change(false);
      else if (status.type === 'reconnect') this.#change(true);
      else if (status.type === 'error') this.onChange(this.#connected, this.#errors.failed(status.error));
    }
  }

  #change(connected: boolean): void {
    if (connected) {
      this.#attempt = 0;
      this.#errors.connected();
    }
    if (connected === this.#connected) return;
    this.#connected = connected;
    this.onChange(connected);
  }

  /** @throws {ClutchError} ERR_CLUTCH_FLEET without a connection: the client would keep what is sent, without a limit */
  get #live(): NatsConnection {
    if (this.#connection && this.#connected) return this.#connection;
    throw this.#errors.noConnection();
  }

  async publish(subject: string, payloads: string[]): Promise<void> {
    const connection = this.#live;
    for (const payload of payloads) connection.publish(this.#prefix + subject, payload);
    await this.#inTime(connection.flush());
  }

  subscribe(subject: string, listener: (payload: string) => void): void {
    this.#subscriptions.push([subject, listener]);
    if (this.#connection) this.#listen(subject, listener);
  }

  #listen(subject: string, listener: (payload: string) => void): void {
    this.#connection?.subscribe(this.#prefix + subject, {
      callback: (error, message) => {
        if (error) this.onChange(this.#connected, this.#errors.failed(error));
        else listener(message.string());
      },
    });
  }

  bucket({ name, ttl }: BucketOptions): Bucket {
    const store = (): Promise<KV> => this.#store(`clutch-${this.#options.name}-${name}`, ttl);
    return {
      get: async (key) => {
        const entry = await this.#inTime((await store()).get(encodeKey(key)));
        return entry?.operation === 'PUT' ? { value: entry.string(), revision: entry.revision } : undefined;
      },
      put: async (key, value, revision) => {
        const kv = await store();
        const name = encodeKey(key);
        return unlessTooLate(this.#inTime(revision === 0 ? kv.create(name, value) : kv.update(name, value, revision)));
      },
      remove: async (key, revision) => {
        const kv = await store();
        await unlessTooLate(this.#inTime(kv.delete(encodeKey(key), { previousSeq: revision })));
      },
      entries: async () => {
        const kv = await store();
        // A key that is written while the keys are listed comes twice.
        const keys = new Set<string>();
        for await (const key of await this.#inTime(kv.keys())) keys.add(key);
        const found = await this.#inTime(Promise.all([...keys].map((key) => kv.get(key))));
        return found.flatMap((entry) =>
          entry?.operation === 'PUT'
            ? [{ key: decodeKey(entry.key), value: entry.string(), revision: entry.revision }]
            : [],
        );
      },
    };
  }

  values(name: string): Values {
    const store = (): Promise<KV> => this.#store(`clutch-${this.#options.name}-${name}`, LONGEST_LIFE);
    return {
      get: async (key) => {
        const entry = await this.#inTime((await store()).get(encodeKey(key)));
        if (entry?.operation !== 'PUT') return undefined;
        const text = entry.string();
        const end = text.indexOf(' ');
        return Number(text.slice(0, end)) > Date.now() ? text.slice(end + 1) : undefined;
      },
      set: async (key, value, ttl) => {
        const kv = await store();
        await this.#inTime(kv.put(encodeKey(key), `${Date.now() + ttl} ${value}`));
      },
      remove: async (key) => {
        const kv = await store();
        await this.#inTime(kv.purge(encodeKey(key)));
      },
    };
  }

  async take(key: string, ask: RateAsk): Promise<Taken> {
    const bucket = this.bucket({ name: 'hits', ttl: DAY * 2 });
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const before = await bucket.get(key);
      const { slices, ...taken } = takeHits(before ? (JSON.parse(before.value) as Slice[]) : [], ask, Date.now());
      if (taken.granted === 0) return taken;
      const written = await bucket.put(key, JSON.stringify(slices), before?.revision ?? 0);
      if (written !== undefined) return taken;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 5 * (attempt + 1)));
    }
    throw new ClutchError('ERR_CLUTCH_FLEET', `${ATTEMPTS} times another machine was faster`);
  }

  #store(name: string, ttl: number): Promise<KV> {
    const connection = this.#live;
    let store = this.#stores.get(name);
    if (!store) {
      const create = (): Promise<KV> => new this.#kv.Kvm(connection).create(name, { ttl, history: 1 });
      // Of two machines that create it in the same moment one is refused; once it is there, creating it is opening it.
      store = create().catch(create);
      this.#stores.set(name, store);
      store.catch(() => this.#stores.delete(name));
    }
    return this.#inTime(store);
  }

  async #inTime<T>(promise: Promise<T>): Promise<T> {
    try {
      return await this.#errors.inTime(this.#options.timeout, promise);
    } catch (error) {
      throw this.#errors.failed(error);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#connected = false;
    await this.#connection?.close();
  }
}

async function unlessTooLate<T>(written: Promise<T>): Promise<T | undefined> {
  try {
    return await written;
  } catch (error) {
    const { code, message } = ((error as Error).cause ?? error) as { code?: unknown; message?: string };
    if (WRONG_SEQUENCE.includes(code as number) || /wrong last sequence/.test(message ?? '')) return undefined;
    throw error;
  }
}

/** Keys of NATS have letters, digits and `-/_=.`; others become `=` and their code in hexadecimal. */
function encodeKey(key: string): string {
  return key.replace(/[^-/\w]/g, (character) => `=${character.codePointAt(0)?.toString(16).padStart(4, '0')}`);
}

function decodeKey(key: string): string {
  return key.replace(/=([0-9a-f]{4})/g, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16)));
}
