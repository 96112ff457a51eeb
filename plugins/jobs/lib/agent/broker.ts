import { ClutchError, toError } from '../../../../errors.js';
import type { Agent, Logger } from '../../../../framework/index.js';
import { maskText } from '../../../../output/secrets.js';
import type { JobDefinition } from '../definition/job_definition.js';
import type { JobSender } from '../definition/job_queue.js';
import type { Attempt, TakenJob } from '../engine/attempt.js';
import { backoffDelay } from '../engine/backoff.js';
import type { JobEngine } from '../engine/engine.js';
import type { JobRecord, NewJob } from '../engine/record.js';
import { obey } from './commands.js';
import { Runs } from './runs.js';
import {
  ACTION,
  type Acceptance,
  type Addition,
  type JobsCommand,
  type Outcome,
  type Progress,
  type WorkerState,
} from './wire.js';

/** Milliseconds until a worker must have said whether it takes a job; a blocked one may still take it later. */
const ACCEPT_LIMIT = 10_000;
/** Milliseconds between two looks at jobs of workers that have left. */
const CHECK_INTERVAL = 500;
/** Milliseconds until the engine is asked again after an error, or after a job that no worker took. */
const PAUSE = 500;
/** Milliseconds between two log lines of an error that repeats, such as that of a server that is away. */
const LOG_INTERVAL = 10_000;

interface BrokerOptions {
  /** Jobs that an app worker runs at the same time. */
  concurrency: number;
  /** Milliseconds until an attempt that is not renewed is lost. */
  lease: number;
}

/** Takes jobs from the engine, has app workers run them, and reports to the engine how they have ended. In the Agent. */
export class JobBroker implements JobSender {
  readonly #agent: Agent;
  readonly #engine: JobEngine;
  readonly #options: BrokerOptions;
  readonly #logger: Logger;
  readonly #runs: Runs;
  readonly #abort = new AbortController();
  readonly #loggedAt = new Map<string, number>();
  #definitions = new Map<string, JobDefinition>();
  #loops: Promise<void>[] = [];
  #checkTimer: NodeJS.Timeout | undefined;
  #renewTimer: NodeJS.Timeout | undefined;

  constructor(agent: Agent, engine: JobEngine, options: BrokerOptions) {
    this.#agent = agent;
    this.#engine = engine;
    this.#options = options;
    this.#logger = agent.getLogger('jobLogger') ?? agent.coreLogger;
    this.#runs = new Runs(options.concurrency);
    const { messenger } = agent;
    messenger.onRequest(ACTION.done, (outcome: Outcome) => this.#finish(outcome));
    messenger.onRequest(ACTION.progress, ({ ref, value }: Progress) => engine.progress(ref, value));
    messenger.onRequest(ACTION.add, ({ queue, job }: Addition) => this.add(queue, job));
    messenger.onRequest(ACTION.get, ({ queue, id }: { queue: string; id: string }) => this.get(queue, id));
    messenger.onRequest(ACTION.command, (command: JobsCommand) => obey(engine, [...this.#definitions.keys()], command));
    messenger.on('egg-pids', () => this.#onWorkers());
  }

  get #closed(): boolean {
    return this.#abort.signal.aborted;
  }

  async add(queue: string, job: NewJob): Promise<boolean> {
    try {
      return await this.#engine.add(queue, job);
    } catch (error) {
      throw failureOf(error, `a job ${queue} cannot be added`);
    }
  }

  async get(queue: string, id: string): Promise<JobRecord | undefined> {
    try {
      return await this.#engine.get(queue, id);
    } catch (error) {
      throw failureOf(error, `job ${id} of ${queue} cannot be read`);
    }
  }

  define(definitions: Map<string, JobDefinition>): void {
    this.#definitions = definitions;
  }

  /** Opens the engine. The app starts without its server, too; each call goes on to try. */
  async open(): Promise<void> {
    try {
      await this.#engine.open([...this.#definitions.keys()]);
    } catch (error) {
      this.log(toError(error));
    }
  }

  /** The cluster is ready, or the Agent has been replaced: begins to take jobs. */
  async start(): Promise<void> {
    const { messenger, options } = this.#agent;
    if (options.leader?.agent !== undefined) {
      // An Agent before this one may have left jobs behind that workers still run.
      if (messenger.opids.length === 0) await new Promise((resolve) => messenger.once('egg-pids', resolve));
      await Promise.all(messenger.opids.map((worker) => this.#adopt(worker)));
    }
    this.#runs.setWorkers(messenger.opids);
    this.#renewAll();
    this.#loops = [...this.#definitions.keys()].map((queue) => this.#serve(queue));
  }

  async #adopt(worker: string): Promise<void> {
    const { running } = (await this.#stateOf(worker)) ?? { running: [] };
    for (const attempt of running) this.#runs.adopt(attempt, worker);
  }

  /** Takes the jobs of one queue, one after the other, as long as a worker has room. */
  async #serve(queue: string): Promise<void> {
    const { signal } = this.#abort;
    const limit = this.#definitions.get(queue)?.defaults.concurrency;
    while (!this.#closed) {
      await this.#runs.room(queue, limit, signal);
      if (this.#closed) return;
      try {
        const job = await this.#engine.take(queue, signal);
        if (job) await this.#place(job, limit);
        else await pause(1);
      } catch (error) {
        this.log(toError(error));
        await pause(PAUSE);
      }
    }
  }

  /** Gives a job to a worker, or back when none takes it. */
  async #place(job: TakenJob, limit: number | undefined): Promise<void> {
    const { data: _, ...attempt } = job;
    const worker = this.#closed ? undefined : this.#runs.pick(job.queue, limit);
    if (worker === undefined) {
      await this.#engine.giveBack(job, false);
      return;
    }
    this.#runs.add(attempt, worker);
    // Not awaited: a worker that is slow to say so must not keep others from jobs.
    void this.#send(job, attempt, worker).catch((error: unknown) => this.log(toError(error)));
  }

  async #send(job: TakenJob, attempt: Attempt, worker: string): Promise<void> {
    let refusal: string;
    try {
      const options = { timeout: ACCEPT_LIMIT };
      const reply = (await this.#agent.messenger.request(Number(worker), ACTION.run, job, options)) as Acceptance;
      if (reply.accepted) return;
      refusal = reply.reason;
      if (refusal === 'closing') this.#runs.setClosing(worker);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // It may have it: `#renew` finds out.
      if (code === 'ERR_CLUTCH_TIMEOUT') return;
      refusal = 'gone';
      this.#runs.setGone(worker);
      // The job may have been what killed it.
      if (code === 'ERR_CLUTCH_NO_REPLY') return this.#lose(worker);
    }
    this.#logger.info('[job#%s] %s is given back: app worker %s is %s', job.id, job.queue, worker, refusal);
    if (refusal === 'unknown') await pause(PAUSE);
    this.#runs.remove(attempt);
    await this.#engine.giveBack(attempt, false);
  }

  async #finish(outcome: Outcome): Promise<void> {
    const { attempt } = outcome;
    const { queue, id } = attempt;
    const isActive = await this.#reportToEngine(outcome);
    this.#runs.remove(attempt);
    if (isActive) return;
    this.#logger.warn('[job#%s] %s ended after its lease: another attempt decides', id, queue);
  }

  #reportToEngine(outcome: Outcome): Promise<boolean> {
    const { attempt: job } = outcome;
    const engine = this.#engine;
    if (outcome.is === 'completed') return engine.complete(job, outcome.result);
    if (outcome.is === 'unfinished') return engine.giveBack(job, false);
    if (outcome.final || job.attempt >= job.attempts) {
      this.#logger.error(
        '[job#%s] %s is kept as failed after %s of %s attempts',
        job.id,
        job.queue,
        job.attempt,
        job.attempts,
      );
      return engine.fail(job, outcome.error, undefined);
    }
    const backoff = job.backoff ?? this.#definitions.get(job.queue)?.defaults.backoff;
    return engine.fail(job, outcome.error, backoff ? backoffDelay(backoff, job.attempt) : 0);
  }

  #onWorkers(): void {
    this.#runs.setWorkers(this.#agent.messenger.opids);
    void this.#check();
  }

  /** @returns undefined if the worker does not reply, `gone` if it cannot be reached */
  async #stateOf(worker: string, timeout?: number): Promise<WorkerState | undefined> {
    try {
      const options = timeout === undefined ? {} : { timeout };
      return (await this.#agent.messenger.request(Number(worker), ACTION.state, undefined, options)) as WorkerState;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_CLUTCH_TIMEOUT') return undefined;
      return GONE;
    }
  }

  /** Looks for jobs whose worker has died; one that drains still runs them. */
  async #check(): Promise<void> {
    clearTimeout(this.#checkTimer);
    for (const worker of this.#runs.leaving()) {
      if (this.#closed) return;
      const state = await this.#stateOf(worker);
      if (state?.closing) this.#runs.setClosing(worker);
      if (state === GONE) await this.#lose(worker);
    }
    clearTimeout(this.#checkTimer);
    if (this.#closed || this.#runs.leaving().length === 0) return;
    this.#checkTimer = setTimeout(() => void this.#check(), CHECK_INTERVAL);
  }

  /** The worker is gone: what it had runs again. */
  async #lose(worker: string): Promise<void> {
    const wasClosing = this.#runs.isClosing(worker);
    for (const attempt of this.#runs.of(worker)) {
      // Each request that it did not reply to tells of its end, as do the cluster's events: a job is lost once.
      if (!this.#runs.has(attempt)) continue;
      this.#runs.remove(attempt);
      const { id, queue } = attempt;
      const why = wasClosing ? 'was replaced before it ended' : 'died';
      try {
        const isActive = await this.#engine.giveBack(attempt, !wasClosing);
        if (isActive) this.#logger.warn('[job#%s] %s runs again: app worker %s %s', id, queue, worker, why);
      } catch (error) {
        // Its lease will be over.
        this.log(toError(error));
      }
    }
  }

  #renewAll(): void {
    const renewed = Promise.all(this.#runs.workers().map((worker) => this.#renew(worker)));
    void renewed.finally(() => {
      if (!this.#closed) this.#renewTimer = setTimeout(() => this.#renewAll(), this.#options.lease / 3);
    });
  }

  /** Renews what a worker says it runs. One that does not reply stands still: its jobs are lost when their lease is over. */
  async #renew(worker: string): Promise<void> {
    const asked = Date.now();
    const state = await this.#stateOf(worker, this.#options.lease / 3);
    if (state === GONE) return this.#lose(worker);
    if (!state || this.#closed) return;
    const running = new Set(state.running.map(({ token }) => token));
    for (const attempt of this.#runs.of(worker)) {
      try {
        if (running.has(attempt.token)) await this.#renewOne(attempt, worker);
        else if (asked - this.#runs.since(attempt) > ACCEPT_LIMIT) {
          this.#runs.remove(attempt);
          await this.#engine.giveBack(attempt, false);
        }
      } catch (error) {
        this.log(toError(error));
      }
    }
  }

  async #renewOne(attempt: Attempt, worker: string): Promise<void> {
    if ((await this.#engine.renew(attempt)) || !this.#runs.has(attempt)) return;
    this.#logger.warn('[job#%s] %s has lost its lease and may run elsewhere', attempt.id, attempt.queue);
    this.#runs.remove(attempt);
    this.#agent.messenger.sendTo(worker, ACTION.lost, attempt);
  }

  /** An error of the engine; one that repeats is logged every 10 s. */
  log(error: Error): void {
    if (this.#closed) return;
    const now = performance.now();
    if (now - (this.#loggedAt.get(error.message) ?? Number.NEGATIVE_INFINITY) < LOG_INTERVAL) return;
    if (this.#loggedAt.size > 100) this.#loggedAt.clear();
    this.#loggedAt.set(error.message, now);
    this.#agent.coreLogger.warn('[jobs] %s', error.message);
  }

  /** Takes no more jobs. What workers still run goes on under the next Agent; what died with them is given back. */
  async close(): Promise<void> {
    this.#abort.abort();
    clearTimeout(this.#checkTimer);
    clearTimeout(this.#renewTimer);
    await Promise.allSettled(this.#loops);
    for (const worker of this.#runs.workers()) {
      const isGone = (await this.#stateOf(worker, CHECK_INTERVAL)) === GONE;
      for (const attempt of this.#runs.of(worker)) {
        // The next Agent has a whole lease to come.
        const ended = isGone ? this.#engine.giveBack(attempt, false) : this.#engine.renew(attempt);
        await ended.catch(() => false);
      }
    }
    try {
      await this.#engine.close();
    } catch (error) {
      this.#agent.coreLogger.warn('[jobs] %s', toError(error).message);
    }
  }
}

/** @returns an error of ours as it is; those of a client or a database have no code that one could rely on */
function failureOf(cause: unknown, what: string): ClutchError {
  if (cause instanceof ClutchError) return cause;
  return new ClutchError('ERR_CLUTCH_JOBS', `${what}: ${maskText(toError(cause).message)}`, {
    fix: 'Find out what its engine lacks; with a `key` a job can be added again without harm.',
    cause,
  });
}

/** What is known of a worker that cannot be reached. */
const GONE: WorkerState = { running: [], closing: false };

function pause(time: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, time));
}
