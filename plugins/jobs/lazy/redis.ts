import { randomUUID } from 'node:crypto';
import type { BackoffOptions, Job, Queue, UnrecoverableError, Worker } from 'bullmq';
import type { Cluster, ClusterOptions, Redis, RedisOptions } from 'ioredis';
import { ClutchError } from '../../../errors.js';
import { withinTime } from '../../../framework/index.js';
import { loadClient } from '../../fleet/lib/adapter/load_client.js';
import { ServerErrors } from '../../fleet/lib/adapter/server_errors.js';
import type { JobRef, TakenJob } from '../lib/engine/attempt.js';
import type { BackoffTimes } from '../lib/engine/backoff.js';
import { type Counts, type EngineOptions, type JobEngine, LATE_CALL } from '../lib/engine/engine.js';
import {
  type FinishedError,
  type JobRecord,
  type JobState,
  lostTooOften,
  MAX_LOSSES,
  type NewJob,
} from '../lib/engine/record.js';

/** Seconds that a blocking call waits for a job. */
const BLOCK = 5;

/** Our backoff, of which BullMQ knows the name only: the delay comes with each error. */
const BACKOFF = 'clutch';

/** BullMQ's numbers for "the job is not there", "it has no lock", "it is not active" and "another attempt has its lock". */
const NOT_ACTIVE = [-1, -2, -3, -6];

interface Pair {
  queue: Queue;
  worker: Worker;
}

/** What is ours of a job; BullMQ keeps the options of a backoff as they are. */
interface Ours extends BackoffOptions {
  times: BackoffTimes;
  carrier: NewJob['carrier'];
}

type Failure = Error & { delay?: number };

/** BullMQ over Redis 6.2 or later, or Valkey: its queues can be looked at, and added to, with BullMQ's other tools. */
export class RedisEngine implements JobEngine {
  readonly #options: EngineOptions;
  readonly #bull: typeof import('bullmq');
  readonly #redis: Redis | Cluster;
  readonly #errors: ServerErrors;
  readonly #pairs = new Map<string, Pair>();
  #connecting: Promise<void> | undefined;
  /** Calls for a job that nobody waits for any longer, but that may still get one. */
  readonly #late = new Set<Promise<unknown>>();

  constructor(options: EngineOptions) {
    this.#options = options;
    const asker = {
      baseDir: options.baseDir,
      code: 'ERR_CLUTCH_JOBS',
      where: 'config.jobs.engine is "redis"',
    } as const;
    this.#bull = loadClient('bullmq', asker);
    this.#redis = connection(loadClient('ioredis', asker), options);
    const { url, client, source: config, onError } = options;
    this.#errors = new ServerErrors({ code: 'ERR_CLUTCH_JOBS', name: 'Redis', config, url, client });
    this.#redis.on('error', (error) => onError(this.#errors.noConnection(error)));
    this.#redis.on('ready', () => this.#errors.connected());
  }

  async open(queues: string[]): Promise<void> {
    for (const name of queues) this.#pairs.set(name, this.#pairOf(name));
    const workers = [...this.#pairs.values()].map(({ worker }) => worker);
    const { timeout } = this.#options;
    await withinTime('Redis', timeout, Promise.all(workers.map((worker) => worker.startStalledCheckTimer())));
    await withinTime('Redis', timeout, Promise.all(workers.map((worker) => worker.waitUntilReady())));
  }

  #pairOf(name: string): Pair {
    const { lease, onError, name: app } = this.#options;
    const common = {
      connection: this.#redis,
      // The braces are a hash tag: all keys of the queues are on one node of a Redis Cluster, as scripts need it.
      prefix: `{clutch:${app}}:jobs`,
    };
    const queue = new this.#bull.Queue(name, common);
    const worker = new this.#bull.Worker(name, null, {
      ...common,
      settings: { backoffStrategy: (_: number, __?: string, error?: Failure) => error?.delay ?? 0 },
      lockDuration: lease,
      stalledInterval: lease / 2,
      maxStalledCount: MAX_LOSSES,
      drainDelay: BLOCK,
    });
    queue.on('error', onError);
    worker.on('error', onError);
    return { queue, worker };
  }

  #of(name: string): Pair {
    return this.#pairs.get(name) as Pair;
  }

  /**
   * The client keeps a call without a connection, however long, and makes it then. So a call begins only with a connection: one
   * that has failed for want of it is not made later. A call whose connection breaks is made again with the next one, which
   * does no harm: the id of the job tells whether it has been done.
   *
   * @throws {ClutchError} ERR_CLUTCH_JOBS without a connection: nothing has been done; ERR_CLUTCH_TIMEOUT if nobody knows
   */
  async #inTime<T>(call: () => Promise<T>): Promise<T> {
    const { timeout } = this.#options;
    if (this.#redis.status !== 'ready') {
      await this.#errors.inTime(timeout, this.#connected()).catch(() => {
        throw this.#errors.noConnection();
      });
    }
    return this.#errors.inTime(timeout, call(), LATE_CALL);
  }

  /** One listener for all that wait. */
  #connected(): Promise<void> {
    this.#connecting ??= new Promise((resolve) => {
      this.#redis.once('ready', () => {
        this.#connecting = undefined;
        resolve();
      });
    });
    return this.#connecting;
  }

  /** Through the worker, which knows our backoff. */
  #job({ queue, id }: { queue: string; id: string }): Promise<Job | undefined> {
    return this.#inTime(() => this.#bull.Job.fromId(this.#of(queue).worker, id));
  }

  async add(name: string, { id, key, data, delay, attempts, backoff, carrier }: NewJob): Promise<boolean> {
    const { queue } = this.#of(name);
    const { completed, failed } = this.#options.keep;
    return this.#inTime(async () => {
      if (await this.#redis.exists(queue.toKey(id))) return false;
      await queue.add(key ?? name, JSON.parse(data), {
        jobId: id,
        delay,
        attempts,
        backoff: { type: BACKOFF, times: backoff, carrier } as Ours,
        removeOnComplete: { count: completed },
        removeOnFail: { count: failed },
        stackTraceLimit: 1,
      });
      return true;
    });
  }

  async take(queue: string, signal: AbortSignal): Promise<TakenJob | undefined> {
    if (signal.aborted) return undefined;
    const token = randomUUID();
    const taking = this.#take(queue, token);
    let end = (): void => {};
    const aborted = new Promise<undefined>((resolve) => {
      end = () => resolve(undefined);
    });
    signal.addEventListener('abort', end, { once: true });
    const handled = taking.then(async (job) => {
      if (job && signal.aborted) await this.giveBack(job, false);
    });
    this.#late.add(handled);
    handled.catch(() => undefined).finally(() => this.#late.delete(handled));
    try {
      return await Promise.race([taking, aborted]);
    } finally {
      // The signal lives as long as the Agent.
      signal.removeEventListener('abort', end);
    }
  }

  async #take(queue: string, token: string): Promise<TakenJob | undefined> {
    const job = (await this.#of(queue).worker.getNextJob(token)) as Job | undefined;
    if (!job?.id) return undefined;
    if (job.deferredFailure || job.stalledCounter > MAX_LOSSES) {
      await job.moveToFailed(this.#failure(lostTooOften(job.stalledCounter), undefined), token);
      return undefined;
    }
    const { times, carrier } = (job.opts.backoff ?? {}) as Partial<Ours>;
    return {
      queue,
      id: job.id,
      token,
      key: keyOf(job, queue),
      data: JSON.stringify(job.data ?? null),
      attempt: job.attemptsMade + 1,
      attempts: attemptsOf(job),
      backoff: times,
      addedAt: job.timestamp,
      ...(carrier && { carrier }),
    };
  }

  #failure({ message, stack }: FinishedError, delay: number | undefined): Failure {
    const error: Failure =
      delay === undefined
        ? (new this.#bull.UnrecoverableError(message) satisfies UnrecoverableError)
        : Object.assign(new Error(message), { delay });
    error.stack = stack ?? message;
    return error;
  }

  /** @returns false if the attempt is no longer the active one */
  async #report(ref: JobRef, report: (job: Job) => Promise<unknown>): Promise<boolean> {
    const job = await this.#job(ref);
    if (!job) return false;
    try {
      await this.#inTime(() => report(job));
      return true;
    } catch (error) {
      if (NOT_ACTIVE.includes((error as { code?: number }).code ?? 0)) return false;
      throw error;
    }
  }

  renew(ref: JobRef): Promise<boolean> {
    return this.#report(ref, async (job) => {
      const extended = await job.extendLock(ref.token, this.#options.lease);
      if (extended === 0) throw Object.assign(new Error('the lock is lost'), { code: -2 });
    });
  }

  progress(ref: JobRef, value: number): Promise<boolean> {
    return this.#report(ref, (job) => job.updateProgress(value));
  }

  complete(ref: JobRef, result: string | undefined): Promise<boolean> {
    const value: unknown = result === undefined ? undefined : JSON.parse(result);
    return this.#report(ref, (job) => job.moveToCompleted(value, ref.token, false));
  }

  fail(ref: JobRef, error: FinishedError, delay: number | undefined): Promise<boolean> {
    return this.#report(ref, (job) => job.moveToFailed(this.#failure(error, delay), ref.token, false));
  }

  giveBack(ref: JobRef, lost: boolean): Promise<boolean> {
    return this.#report(ref, async (job) => {
      // The field in which BullMQ counts jobs whose lock was lost.
      if (lost) await this.#redis.hincrby(this.#of(ref.queue).queue.toKey(ref.id), 'stc', 1);
      await job.moveToWait(ref.token);
    });
  }

  async get(queue: string, id: string): Promise<JobRecord | undefined> {
    const job = await this.#job({ queue, id });
    return job && recordOf(job, queue, stateOf(await this.#inTime(() => job.getState())));
  }

  async list(queue: string, state: JobState, limit: number): Promise<JobRecord[]> {
    const jobs = (await this.#inTime(() => this.#of(queue).queue.getJobs([state], 0, limit - 1))) as (
      | Job
      | undefined
    )[];
    // A job may have gone while they were read.
    return jobs.flatMap((job) => (job ? [recordOf(job, queue, state)] : []));
  }

  async counts(queue: string): Promise<Counts> {
    const states = ['waiting', 'prioritized', 'delayed', 'active', 'completed', 'failed'] as const;
    const found = await this.#inTime(() => this.#of(queue).queue.getJobCounts(...states));
    const { waiting = 0, prioritized = 0, delayed = 0, active = 0, completed = 0, failed = 0 } = found;
    return { waiting: waiting + prioritized, delayed, active, completed, failed };
  }

  async retry(queue: string, id: string): Promise<boolean> {
    const job = await this.#job({ queue, id });
    if (!job || !(await this.#inTime(() => job.isFailed()))) return false;
    await this.#inTime(() => this.#redis.hdel(this.#of(queue).queue.toKey(id), 'stc', 'defa'));
    await this.#inTime(() => job.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true }));
    return true;
  }

  async pause(name: string, paused: boolean): Promise<void> {
    const { queue } = this.#of(name);
    await this.#inTime(() => (paused ? queue.pause() : queue.resume()));
  }

  isPaused(queue: string): Promise<boolean> {
    return this.#inTime(() => this.#of(queue).queue.isPaused());
  }

  async close(): Promise<void> {
    const pairs = [...this.#pairs.values()];
    const close = async (): Promise<void> => {
      // Blocking calls end with it; what one of them has got is given back.
      await Promise.allSettled(pairs.map(({ worker }) => worker.close(true)));
      await Promise.allSettled(this.#late);
      await Promise.allSettled(pairs.map(({ queue }) => queue.close()));
    };
    try {
      await withinTime('Redis', this.#options.timeout, close());
    } finally {
      this.#redis.disconnect();
    }
  }
}

function connection(
  ioredis: typeof import('ioredis'),
  { url, client, timeout }: Pick<EngineOptions, 'url' | 'client' | 'timeout'>,
): Redis | Cluster {
  // BullMQ refuses a client that gives up a blocking call.
  const options: RedisOptions = { maxRetriesPerRequest: null, connectTimeout: timeout };
  const { nodes, ...given } = client as { nodes?: string[]; [option: string]: unknown };
  if (!nodes) return new ioredis.Redis(url ?? 'redis://127.0.0.1:6379', { ...options, ...given });
  const { redisOptions, ...clusterOptions } = given as ClusterOptions;
  return new ioredis.Cluster(nodes, { ...clusterOptions, redisOptions: { ...options, ...redisOptions } });
}

/** A job with a key is named after it, one without is named like its queue. */
function keyOf({ name }: Job, queue: string): string | undefined {
  return name === queue ? undefined : name;
}

function attemptsOf({ opts }: Job): number {
  return opts.attempts ?? 1;
}

function stateOf(state: string): JobState {
  if (state === 'delayed' || state === 'active' || state === 'completed' || state === 'failed') return state;
  if (state === 'unknown') throw new ClutchError('ERR_CLUTCH_JOBS', 'a job has gone while it was read');
  return 'waiting';
}

function recordOf(job: Job, queue: string, state: JobState): JobRecord {
  const { id = '', data, attemptsMade, stalledCounter, timestamp, delay, progress, processedOn, finishedOn } = job;
  const key = keyOf(job, queue);
  const [stack] = job.stacktrace ?? [];
  const result = job.returnvalue as unknown;
  return {
    id,
    ...(key === undefined ? {} : { key }),
    data: JSON.stringify(data ?? null),
    state,
    // BullMQ counts the attempt that has succeeded, too.
    failures: state === 'completed' ? attemptsMade - 1 : attemptsMade,
    attempts: attemptsOf(job),
    losses: stalledCounter,
    addedAt: timestamp,
    runAt: (processedOn ?? timestamp) + delay,
    ...(typeof progress === 'number' && progress > 0 ? { progress } : {}),
    ...(processedOn === undefined ? {} : { startedAt: processedOn }),
    ...(finishedOn === undefined ? {} : { endedAt: finishedOn }),
    ...(result === undefined || result === null ? {} : { result: JSON.stringify(result) }),
    ...(job.failedReason ? { error: errorOf(job.failedReason, stack) } : {}),
  };
}

/** BullMQ keeps message and stack; the name begins the stack. */
function errorOf(message: string, stack: string | undefined): FinishedError {
  const name = /^([A-Za-z_$][\w$]*):/.exec(stack ?? '')?.[1] ?? 'Error';
  return { name, message, ...(stack ? { stack } : {}) };
}
