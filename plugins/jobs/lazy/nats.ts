import { randomUUID } from 'node:crypto';
import type { Consumer, ConsumerInfo, JetStreamClient, JetStreamManager, JsMsg } from '@nats-io/jetstream';
import type { KV } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import { ClutchError, toError } from '../../../errors.js';
import { loadClient } from '../../fleet/lib/adapter/load_client.js';
import { natsServers } from '../../fleet/lib/adapter/nats_servers.js';
import { ServerErrors } from '../../fleet/lib/adapter/server_errors.js';
import type { JobRef, TakenJob } from '../lib/engine/attempt.js';
import { type Counts, type EngineOptions, type JobEngine, LATE_CALL } from '../lib/engine/engine.js';
import {
  claimed,
  completed,
  type FinishedError,
  failed,
  givenBack,
  isActive,
  isLost,
  type JobRecord,
  type JobState,
  type NewJob,
  newRecord,
  renewed,
  retried,
  shown,
  takenFrom,
} from '../lib/engine/record.js';
import { Waiters } from '../lib/engine/waiters.js';

/** Milliseconds that a pull request waits, the least that the client takes. */
const PULL = 1000;
/** Milliseconds without a further entry, after which all that there are have been read. */
const IDLE = 500;
/** Milliseconds that counts are used again: to count is to read all records of a queue. */
const COUNT_AGE = 1000;
/** JetStream's codes for a compare-and-set that came too late. */
const WRONG_SEQUENCE = [10071, 10164];

interface Stored {
  record: JobRecord;
  revision: number;
}

/** What one has of a server that can be reached. */
interface Session {
  connection: NatsConnection;
  js: JetStreamClient;
  manager: JetStreamManager;
  jobs: KV;
  consumers: Map<string, Consumer>;
}

/**
 * NATS 2.9 or later with JetStream. The records in a key-value bucket are the truth, changed by compare-and-set. The messages of a
 * work-queue stream name the jobs that are to be looked at: a message too many, or one delivered too early, does no harm.
 */
export class NatsEngine implements JobEngine {
  readonly #options: EngineOptions;
  readonly #errors: ServerErrors;
  readonly #waiters = new Waiters();
  readonly #packages: {
    transport: typeof import('@nats-io/transport-node');
    jetstream: typeof import('@nats-io/jetstream');
    kv: typeof import('@nats-io/kv');
  };
  readonly #stream: string;
  readonly #bucket: string;
  #queues: string[] = [];
  #session: Promise<Session> | undefined;
  #sweepTimer: NodeJS.Timeout | undefined;
  readonly #counts = new Map<string, { at: number; counts: Promise<Counts> }>();
  #closed = false;

  constructor(options: EngineOptions) {
    this.#options = options;
    const { url, client, source: config } = options;
    this.#errors = new ServerErrors({ code: 'ERR_CLUTCH_JOBS', name: 'NATS', config, url, client });
    this.#stream = `clutch-${options.name}-jobs`;
    this.#bucket = `clutch-${options.name}-jobs`;
    const asker = { baseDir: options.baseDir, code: 'ERR_CLUTCH_JOBS', where: 'config.jobs.engine is "nats"' } as const;
    this.#packages = {
      transport: loadClient('@nats-io/transport-node', asker),
      jetstream: loadClient('@nats-io/jetstream', asker),
      kv: loadClient('@nats-io/kv', asker),
    };
  }

  async open(queues: string[]): Promise<void> {
    this.#queues = queues;
    this.#sweepLater();
    await this.#connected();
  }

  #connected(): Promise<Session> {
    if (this.#closed) throw new ClutchError('ERR_CLUTCH_JOBS', 'the engine is closed');
    this.#session ??= this.#connect().catch((error: unknown) => {
      this.#session = undefined;
      throw this.#errors.noConnection(error);
    });
    return this.#errors.inTime(this.#options.timeout, this.#session);
  }

  async #connect(): Promise<Session> {
    const { url, client, timeout, lease } = this.#options;
    const { transport, jetstream, kv } = this.#packages;
    const connection = await transport.connect({
      ...natsServers(url),
      timeout,
      maxReconnectAttempts: -1,
      pingInterval: timeout,
      maxPingOut: 2,
      ...client,
    });
    try {
      const js = jetstream.jetstream(connection, { timeout });
      const manager = await jetstream.jetstreamManager(connection, { timeout });
      const twice = <T>(create: () => Promise<T>): Promise<T> => create().catch(create);
      // Of two machines that create one in the same moment one is refused; once it is there, creating it is opening it.
      const jobs = await twice(() => new kv.Kvm(js).create(this.#bucket, { history: 1 }));
      await twice(() =>
        manager.streams.add({
          name: this.#stream,
          subjects: [this.#subject('>')],
          retention: jetstream.RetentionPolicy.Workqueue,
          storage: jetstream.StorageType.File,
        }),
      );
      const consumers = new Map<string, Consumer>();
      for (const queue of this.#queues) {
        const name = consumerName(queue);
        await twice(() =>
          manager.consumers.add(this.#stream, {
            durable_name: name,
            filter_subject: this.#subject(queue),
            ack_policy: jetstream.AckPolicy.Explicit,
            ack_wait: transport.nanos(lease),
            max_ack_pending: -1,
          }),
        );
        consumers.set(queue, await js.consumers.get(this.#stream, name));
      }
      return { connection, js, manager, jobs, consumers };
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  #subject(queue: string): string {
    return `clutch-jobs.${this.#options.name}.${queue}`;
  }

  #inTime<T>(call: Promise<T>): Promise<T> {
    return this.#errors.inTime(this.#options.timeout, call, LATE_CALL);
  }

  async #read(queue: string, id: string): Promise<Stored | undefined> {
    const { jobs } = await this.#connected();
    const entry = await this.#inTime(jobs.get(keyOf(queue, id)));
    return entry?.operation === 'PUT' ? { record: entry.json<JobRecord>(), revision: entry.revision } : undefined;
  }

  #write(queue: string, record: JobRecord, revision: number): Promise<boolean> {
    return this.#compareAndSet(keyOf(queue, record.id), JSON.stringify(record), revision);
  }

  /** @param revision 0: there must be no entry. @returns false if somebody else has changed it */
  async #compareAndSet(key: string, value: string, revision: number): Promise<boolean> {
    const { jobs } = await this.#connected();
    try {
      await this.#inTime(revision === 0 ? jobs.create(key, value) : jobs.update(key, value, revision));
      return true;
    } catch (error) {
      const { code, message } = error as { code?: unknown; message?: string };
      if (WRONG_SEQUENCE.includes(code as number) || /wrong last sequence/.test(message ?? '')) return false;
      throw error;
    }
  }

  /** Changes a record for as long as `change` agrees, which it does not by giving undefined. */
  async #change(
    queue: string,
    id: string,
    change: (record: JobRecord) => JobRecord | undefined,
  ): Promise<JobRecord | undefined> {
    for (;;) {
      const stored = await this.#read(queue, id);
      const next = stored && change(stored.record);
      if (!stored || !next) return undefined;
      if (await this.#write(queue, next, stored.revision)) return next;
    }
  }

  /** Changes a job if the attempt is the active one. */
  #changeActive(ref: JobRef, change: (record: JobRecord, now: number) => JobRecord): Promise<JobRecord | undefined> {
    return this.#change(ref.queue, ref.id, (record) =>
      isActive(record, ref.token) ? change(record, Date.now()) : undefined,
    );
  }

  async #announce(queue: string, id: string): Promise<void> {
    const { js } = await this.#connected();
    await this.#inTime(js.publish(this.#subject(queue), id));
  }

  async add(queue: string, job: NewJob): Promise<boolean> {
    const { id } = job;
    const record = newRecord(job, Date.now());
    const isNew = await this.#write(queue, record, 0);
    // What dies in between leaves a record that no message names; `#sweep` finds it.
    if (isNew) await this.#announce(queue, id);
    return isNew;
  }

  async take(queue: string, signal: AbortSignal): Promise<TakenJob | undefined> {
    if (await this.isPaused(queue)) {
      await this.#waiters.wait(queue, PULL, signal);
      return undefined;
    }
    const { consumers } = await this.#connected();
    const message = await (consumers.get(queue) as Consumer).next({ expires: PULL });
    if (!message) return undefined;
    if (!signal.aborted && !(await this.isPaused(queue))) return this.#claim(queue, message);
    message.nak(signal.aborted ? 0 : PULL);
    return undefined;
  }

  async #claim(queue: string, message: JsMsg): Promise<TakenJob | undefined> {
    const stored = await this.#read(queue, message.string());
    if (!stored || stored.record.endedAt !== undefined) {
      message.ack();
      return undefined;
    }
    const now = Date.now();
    const { revision } = stored;
    const record = isLost(stored.record, now) ? givenBack(stored.record, true, now) : stored.record;
    if (record.state === 'failed') {
      if (await this.#write(queue, record, revision)) message.ack();
      return undefined;
    }
    const due = record.state === 'active' ? (record.leasedUntil ?? now) : record.runAt;
    if (due > now) {
      message.nak(due - now);
      return undefined;
    }
    // The acknowledgement is a message to this subject, from whichever process then knows of the job.
    const token = `${randomUUID()} ${replySubject(message)}`;
    if (!(await this.#write(queue, claimed(record, token, this.#options.lease, now), revision))) {
      message.nak(PULL);
      return undefined;
    }
    return takenFrom(queue, record, token);
  }

  async #acknowledge({ token }: JobRef, kind: string): Promise<void> {
    const { connection } = await this.#connected();
    connection.publish(token.split(' ')[1] as string, kind);
  }

  async renew(ref: JobRef): Promise<boolean> {
    const next = await this.#changeActive(ref, (record, now) => renewed(record, this.#options.lease, now));
    if (next) await this.#acknowledge(ref, '+WPI');
    return next !== undefined;
  }

  async progress(ref: JobRef, progress: number): Promise<boolean> {
    return (await this.#changeActive(ref, (record) => ({ ...record, progress }))) !== undefined;
  }

  async complete(ref: JobRef, result: string | undefined): Promise<boolean> {
    const next = await this.#changeActive(ref, (record, now) => completed(record, result, now));
    if (next) await this.#acknowledge(ref, '+ACK');
    return next !== undefined;
  }

  async fail(ref: JobRef, error: FinishedError, delay: number | undefined): Promise<boolean> {
    const next = await this.#changeActive(ref, (record, now) => failed(record, error, delay, now));
    if (next) await this.#acknowledge(ref, delay === undefined ? '+ACK' : nak(delay));
    return next !== undefined;
  }

  async giveBack(ref: JobRef, lost: boolean): Promise<boolean> {
    const next = await this.#changeActive(ref, (record, now) => givenBack(record, lost, now));
    if (next) await this.#acknowledge(ref, next.state === 'failed' ? '+ACK' : nak(0));
    return next !== undefined;
  }

  async get(queue: string, id: string): Promise<JobRecord | undefined> {
    const stored = await this.#read(queue, id);
    return stored && shown(stored.record, Date.now());
  }

  async #all(queue: string): Promise<Stored[]> {
    const { jobs } = await this.#connected();
    const found: Stored[] = [];
    const entries = await this.#inTime(jobs.history({ key: keyOf(queue, '*') }));
    // The client counts the entries before it reads them: it would wait for one that is removed meanwhile.
    const timer = setTimeout(() => entries.stop(), IDLE);
    for await (const entry of entries) {
      timer.refresh();
      if (entry.operation === 'PUT') found.push({ record: entry.json<JobRecord>(), revision: entry.revision });
    }
    clearTimeout(timer);
    return found;
  }

  async list(queue: string, state: JobState, limit: number): Promise<JobRecord[]> {
    const all = await this.#all(queue);
    const now = Date.now();
    const found = all.filter(({ record }) => shown(record, now).state === state).sort(newestFirst);
    return found.slice(0, limit).map(({ record }) => shown(record, now));
  }

  counts(queue: string): Promise<Counts> {
    const known = this.#counts.get(queue);
    const at = Date.now();
    if (known && at - known.at < COUNT_AGE) return known.counts;
    const counts = this.#count(queue);
    this.#counts.set(queue, { at, counts });
    counts.catch(() => this.#counts.delete(queue));
    return counts;
  }

  async #count(queue: string): Promise<Counts> {
    const counts: Counts = { waiting: 0, delayed: 0, active: 0, completed: 0, failed: 0 };
    const now = Date.now();
    for (const { record } of await this.#all(queue)) counts[shown(record, now).state] += 1;
    return counts;
  }

  async retry(queue: string, id: string): Promise<boolean> {
    const next = await this.#change(queue, id, (record) =>
      record.state === 'failed' ? retried(record, Date.now()) : undefined,
    );
    if (next) await this.#announce(queue, id);
    return next !== undefined;
  }

  async pause(queue: string, paused: boolean): Promise<void> {
    const { jobs } = await this.#connected();
    await this.#inTime(jobs.put(pausedKey(queue), paused ? 'paused' : ''));
    this.#waiters.wake(queue);
  }

  async isPaused(queue: string): Promise<boolean> {
    const { jobs } = await this.#connected();
    const entry = await this.#inTime(jobs.get(pausedKey(queue)));
    return entry?.string() === 'paused';
  }

  #sweepLater(): void {
    if (this.#closed) return;
    const { lease, onError } = this.#options;
    this.#sweepTimer = setTimeout(() => {
      this.#sweep()
        .catch((error: unknown) => onError(toError(error)))
        .finally(() => this.#sweepLater());
    }, lease);
    this.#sweepTimer.unref();
  }

  /** Removes what need not be kept, and names the jobs that no message names. One machine does it for all. */
  async #sweep(): Promise<void> {
    const { jobs, manager } = await this.#connected();
    const last = await jobs.get(SWEPT);
    if (last && Date.now() - last.created.getTime() < this.#options.lease) return;
    // Another machine may be faster.
    if (!(await this.#compareAndSet(SWEPT, '', last?.revision ?? 0))) return;
    for (const queue of this.#queues) {
      const info = await manager.consumers.info(this.#stream, consumerName(queue));
      const all = (await this.#all(queue)).sort(newestFirst);
      for (const state of ['completed', 'failed'] as const) {
        const old = all.filter(({ record }) => record.state === state).slice(this.#options.keep[state]);
        for (const { record, revision } of old) {
          // Not through the bucket, which would keep a mark of each; up to the revision, since one may be retried meanwhile.
          const filter = `$KV.${this.#bucket}.${keyOf(queue, record.id)}`;
          await manager.streams.purge(`KV_${this.#bucket}`, { filter, seq: revision + 1 });
        }
      }
      if (!hasNoMessages(info)) continue;
      for (const { record } of all) if (record.endedAt === undefined) await this.#announce(queue, record.id);
    }
  }

  async close(): Promise<void> {
    const session = this.#session;
    this.#closed = true;
    clearTimeout(this.#sweepTimer);
    const { connection } = (await session?.catch(() => undefined)) ?? {};
    if (!connection) return;
    // What is on its way to a server that is away stays there.
    await this.#inTime(connection.drain()).catch(() => connection.close());
  }
}

/** The key of the last sweep; no queue is called so. */
const SWEPT = '=swept';

// Names of queues have letters, digits, `_`, `-` and `/`, which keys and subjects may have as well.

function keyOf(queue: string, id: string): string {
  return `${queue}.${id}`;
}

function pausedKey(queue: string): string {
  return `=paused.${queue}`;
}

function consumerName(queue: string): string {
  return queue.replaceAll('/', '=');
}

function hasNoMessages({ num_pending, num_ack_pending }: ConsumerInfo): boolean {
  return num_pending + num_ack_pending === 0;
}

/** @returns what has a message delivered again after `delay` milliseconds */
function nak(delay: number): string {
  return delay > 0 ? `-NAK ${JSON.stringify({ delay: Math.round(delay) * 1_000_000 })}` : '-NAK';
}

function newestFirst({ record: a }: Stored, { record: b }: Stored): number {
  return (b.endedAt ?? b.startedAt ?? b.addedAt) - (a.endedAt ?? a.startedAt ?? a.addedAt);
}

/** The client acknowledges only messages that this process has got; where to is in the message that JsMsg wraps. */
function replySubject(message: JsMsg): string {
  return (message as unknown as { msg: { reply: string } }).msg.reply;
}
