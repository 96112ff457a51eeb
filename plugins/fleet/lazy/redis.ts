import { createHash } from 'node:crypto';
import type { Cluster, ClusterOptions, Redis, RedisOptions } from 'ioredis';
import {
  type AdapterOptions,
  type Bucket,
  type BucketOptions,
  type FleetAdapter,
  reconnectDelay,
  type Values,
} from '../lib/adapter/adapter.js';
import { loadClient } from '../lib/adapter/load_client.js';
import { type RateAsk, SLICES, type Taken } from '../lib/adapter/rate_window.js';
import { ServerErrors } from '../lib/adapter/server_errors.js';

type Connection = Redis | Cluster;

// The server's clock makes revisions that grow even if a server has lost its data; a double holds microseconds until the year 2255.
const PUT = `
if (redis.call('HGET', KEYS[1], 'r') or '0') ~= ARGV[2] then return false end
local time = redis.call('TIME')
local revision = time[1] * 1000000 + time[2]
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
if revision <= last then revision = last + 1 end
local text = string.format('%.0f', revision)
redis.call('SET', KEYS[2], text)
redis.call('HSET', KEYS[1], 'v', ARGV[1], 'r', text)
if ARGV[3] ~= '0' then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
redis.call('SADD', KEYS[3], ARGV[4])
return text`;

const PUBLISH = `return redis.call('PUBLISH', ARGV[1], ARGV[2])`;

const REMOVE = `
if redis.call('HGET', KEYS[1], 'r') ~= ARGV[1] then return 0 end
redis.call('SREM', KEYS[2], ARGV[2])
return redis.call('DEL', KEYS[1])`;

// An expired entry leaves its name in the set, which is removed here.
const ENTRIES = `
local found = {}
for _, key in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local entry = redis.call('HMGET', ARGV[1] .. key, 'v', 'r')
  if entry[1] then
    found[#found + 1] = { key, entry[1], entry[2] }
  else
    redis.call('SREM', KEYS[1], key)
  end
end
return found`;

// The same as takeHits() in rate_window.ts, by the server's clock; a hash has the hits by the number of their slice.
const TAKE = `
local count, limit, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local size = window / ${SLICES}
local current = math.floor(now / size)
local found = redis.call('HGETALL', KEYS[1])
for index = 1, #found, 2 do current = math.max(current, tonumber(found[index])) end
local used, oldest = 0, nil
for index = 1, #found, 2 do
  local slice = tonumber(found[index])
  if slice < current - ${SLICES} then
    redis.call('HDEL', KEYS[1], found[index])
  else
    used = used + tonumber(found[index + 1])
    if not oldest or slice < oldest then oldest = slice end
  end
end
local granted = math.max(0, math.min(count, limit - used))
if granted > 0 then
  redis.call('HINCRBY', KEYS[1], string.format('%.0f', current), granted)
  redis.call('PEXPIRE', KEYS[1], 2 * window)
  oldest = oldest or current
end
local wait = 0
if oldest then wait = math.max(1, math.ceil((oldest + ${SLICES} + 1) * size - now)) end
return { granted, used + granted, wait }`;
const TAKE_SHA = createHash('sha1').update(TAKE).digest('hex');

/** Redis 6.2 or later, or Valkey: one server, Sentinel (`client.sentinels`) or Cluster (`client.nodes`). */
export class RedisAdapter implements FleetAdapter {
  onChange: FleetAdapter['onChange'] = () => {};
  readonly #prefix: string;
  readonly #errors: ServerErrors;
  readonly #commands: Connection;
  /** A connection that subscribes takes no other command. */
  readonly #subscriber: Connection;
  readonly #listeners = new Map<string, (payload: string) => void>();
  #connected = false;

  constructor(options: AdapterOptions) {
    // The braces are a hash tag: all keys of a fleet are on one node of a Redis Cluster, as scripts need it.
    this.#prefix = `{clutch:${options.name}}:`;
    const { url, client } = options;
    this.#errors = new ServerErrors({ code: 'ERR_CLUTCH_FLEET', name: 'Redis', config: 'config.fleet', url, client });
    this.#commands = connection(options);
    this.#subscriber = connection(options);
    for (const each of [this.#commands, this.#subscriber]) {
      for (const event of ['ready', 'close', 'end'] as const) each.on(event, () => this.#update());
      each.on('error', (error: Error) => this.onChange(this.#connected, this.#errors.noConnection(error)));
    }
    this.#subscriber.on('message', (channel: string, payload: string) => this.#listeners.get(channel)?.(payload));
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** @throws {ClutchError} ERR_CLUTCH_FLEET; without a connection the client would speak of a stream that is not writable */
  async #call<T>(call: (connection: Connection) => Promise<T>): Promise<T> {
    if (!this.#connected) throw this.#errors.noConnection();
    try {
      return await call(this.#commands);
    } catch (error) {
      throw this.#errors.failed(error);
    }
  }

  connect(): void {
    // The error of a first attempt is emitted as well, and there are more attempts.
    for (const each of [this.#commands, this.#subscriber]) each.connect().catch(() => undefined);
  }

  #update(): void {
    const connected = this.#commands.status === 'ready' && this.#subscriber.status === 'ready';
    if (connected === this.#connected) return;
    this.#connected = connected;
    if (connected) {
      this.#errors.connected();
      void this.#subscribe();
    } else this.onChange(false);
  }

  async #subscribe(): Promise<void> {
    try {
      if (this.#listeners.size > 0) await this.#subscriber.subscribe(...this.#listeners.keys());
      if (this.#connected) this.onChange(true);
    } catch (error) {
      this.onChange(this.#connected, this.#errors.failed(error));
    }
  }

  publish(subject: string, payloads: string[]): Promise<void> {
    const channel = this.#prefix + subject;
    return this.#call(async (commands) => {
      // The client of a Cluster publishes on any of its nodes, which loses the order; a script goes to the node of its key.
      const publish = commands.isCluster
        ? (payload: string) => commands.eval(PUBLISH, 1, this.#prefix, channel, payload)
        : (payload: string) => commands.publish(channel, payload);
      await Promise.all(payloads.map(publish));
    });
  }

  subscribe(subject: string, listener: (payload: string) => void): void {
    this.#listeners.set(this.#prefix + subject, listener);
    if (this.#connected) void this.#subscribe();
  }

  bucket({ name, ttl }: BucketOptions): Bucket {
    const entry = `${this.#prefix}${name}:`;
    const index = `${this.#prefix}${name}#keys`;
    const counter = `${this.#prefix}${name}#revision`;
    return {
      get: async (key) => {
        const [value, revision] = await this.#call((redis) => redis.hmget(entry + key, 'v', 'r'));
        return typeof value === 'string' ? { value, revision: Number(revision) } : undefined;
      },
      put: async (key, value, revision) => {
        const args = [entry + key, counter, index, value, String(revision), String(ttl), key];
        const written = (await this.#call((redis) => redis.eval(PUT, 3, ...args))) as string | null;
        return written === null ? undefined : Number(written);
      },
      remove: async (key, revision) => {
        await this.#call((redis) => redis.eval(REMOVE, 2, entry + key, index, String(revision), key));
      },
      entries: async () => {
        const found = (await this.#call((redis) => redis.eval(ENTRIES, 1, index, entry))) as [string, string, string][];
        return found.map(([key, value, revision]) => ({ key, value, revision: Number(revision) }));
      },
    };
  }

  values(name: string): Values {
    const prefix = `${this.#prefix}${name}:`;
    return {
      get: async (key) => (await this.#call((redis) => redis.get(prefix + key))) ?? undefined,
      set: async (key, value, ttl) =>
        void (await this.#call((redis) => redis.set(prefix + key, value, 'PX', Math.ceil(ttl)))),
      remove: async (key) => void (await this.#call((redis) => redis.del(prefix + key))),
    };
  }

  async take(key: string, { count, limit, window }: RateAsk): Promise<Taken> {
    const args = [`${this.#prefix}hits:${key}`, String(count), String(limit), String(window)];
    const [granted, used, wait] = (await this.#call((redis) =>
      redis.evalsha(TAKE_SHA, 1, ...args).catch((error: Error) => {
        // The server has forgotten it, or has never had it.
        if (!error.message.startsWith('NOSCRIPT')) throw error;
        return redis.eval(TAKE, 1, ...args);
      }),
    )) as [number, number, number];
    return { granted, used, wait };
  }

  async close(): Promise<void> {
    for (const each of [this.#commands, this.#subscriber]) each.disconnect();
    this.#connected = false;
  }
}

function connection({ url, client, timeout, baseDir }: AdapterOptions): Connection {
  const ioredis = loadClient<typeof import('ioredis')>('ioredis', {
    baseDir,
    code: 'ERR_CLUTCH_FLEET',
    where: 'config.fleet.adapter is "redis"',
  });
  const options: RedisOptions = {
    lazyConnect: true,
    // Without a connection a call fails at once, and a call whose reply is lost is not repeated: it may have been done.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    commandTimeout: timeout,
    connectTimeout: timeout,
    retryStrategy: (attempt) => reconnectDelay(attempt),
  };
  const { nodes, ...given } = client as { nodes?: string[]; [option: string]: unknown };
  if (!nodes) return new ioredis.Redis(url ?? 'redis://127.0.0.1:6379', { ...options, ...given });
  const { redisOptions, ...clusterOptions } = given as ClusterOptions;
  return new ioredis.Cluster(nodes, {
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: (attempt) => reconnectDelay(attempt),
    ...clusterOptions,
    redisOptions: { ...options, ...redisOptions },
  });
}
