import type { Agent, Logger } from '../../../framework/index.js';
import { ACTION, type Acceptance, type Job, type JobResult, processId, type WorkerState } from './types.js';

/** Milliseconds until a worker must have said whether it takes a run; a blocked one may still take it later. */
const ACCEPT_LIMIT = 10_000;
/** Milliseconds between two looks at runs of workers that have left. */
const CHECK_INTERVAL = 500;

const NOTHING: WorkerState = { running: [], immediate: [] };

interface Run extends Omit<Job, 'agent'> {
  /** For whom it is; undefined for any worker. */
  target: string | undefined;
  /** How often it may begin again. */
  retries: number;
  /** Who has it. */
  worker: string | undefined;
  /** Workers that did not take it, or died of it. */
  refused: Map<string, string>;
  begin: number;
  end(result: JobResult): void;
  ended: Promise<JobResult>;
}

/** The runs that the Agent has given to workers and has no result of. */
export class Runs {
  readonly #agent: Agent;
  readonly #logger: Logger;
  readonly #runs = new Map<string, Run>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(agent: Agent, logger: Logger) {
    this.#agent = agent;
    this.#logger = logger;
    const { messenger } = agent;
    messenger.onRequest(ACTION.job, (result: JobResult) => this.#finish(result));
    messenger.on('egg-pids', () => this.#onWorkers());
  }

  get #workers(): string[] {
    return this.#agent.messenger.opids;
  }

  /** @returns when a run has ended, undefined if it is not running */
  resultOf(id: string): Promise<JobResult> | undefined {
    return this.#runs.get(id)?.ended;
  }

  /** @returns when all runs of a schedule have ended, undefined if there is none */
  endOf(key: string): Promise<unknown> | undefined {
    const running = [...this.#runs.values()].filter((run) => run.key === key);
    return running.length === 0 ? undefined : Promise.all(running.map(({ ended }) => ended));
  }

  /** Has a worker run a job; resolves with the result, whatever it is. */
  send(
    job: Omit<Job, 'agent'>,
    { target, retries = 0 }: { target?: string; retries?: number } = {},
  ): Promise<JobResult> {
    const run = this.#add(job, { target, retries });
    void this.#dispatch(run);
    return run.ended;
  }

  #add(job: Omit<Job, 'agent'>, { target, retries }: { target: string | undefined; retries: number }): Run {
    const { promise: ended, resolve: end } = withResolvers<JobResult>();
    const run: Run = { ...job, target, retries, worker: undefined, refused: new Map(), begin: Date.now(), end, ended };
    this.#runs.set(job.id, run);
    return run;
  }

  /** Takes over what workers run for an Agent that is gone. */
  async adopt(): Promise<WorkerState> {
    const found: WorkerState = { running: [], immediate: [] };
    await Promise.all(
      this.#workers.map(async (worker) => {
        const { running, immediate, agentDied } = (await this.#stateOf(worker)) ?? NOTHING;
        found.immediate.push(...immediate);
        found.agentDied ??= agentDied;
        for (const job of running) {
          found.running.push(job);
          if (!this.#runs.has(job.id)) this.#add(job, { target: undefined, retries: 0 }).worker = worker;
        }
      }),
    );
    return found;
  }

  /** @returns undefined if the worker cannot say */
  async #stateOf(worker: string): Promise<WorkerState | undefined> {
    try {
      return (await this.#agent.messenger.request(Number(worker), ACTION.state)) as WorkerState;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_CLUTCH_TIMEOUT') return undefined;
      // It cannot be reached: whatever it had is lost.
      return NOTHING;
    }
  }

  async #dispatch(run: Run): Promise<void> {
    const worker = run.target ?? this.#pick(run);
    if (worker === undefined) {
      const reasons = [...run.refused.values()];
      // Workers of other code may come; those that are there know nothing of this schedule.
      if (this.#workers.length > 0 && reasons.some((reason) => reason === 'unknown' || reason === 'disabled')) {
        this.#fail(run, `no app worker runs it: it is ${reasons.join(', ')} there`);
      }
      return;
    }
    run.worker = worker;
    try {
      const { key, id, args } = run;
      const job: Job = { key, id, args, agent: processId() };
      const reply = await this.#agent.messenger.request(Number(worker), ACTION.job, job, { timeout: ACCEPT_LIMIT });
      const acceptance = reply as Acceptance;
      if (acceptance.accepted) return;
      if (acceptance.reason === 'replaced') this.#fail(run, 'there is another Agent by now', 'info');
      else this.#again(run, acceptance.reason);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // `check` may have found out before.
      if (run.worker !== worker) return;
      if (code === 'ERR_CLUTCH_NO_REPLY') this.#lose(run);
      // A worker that is slow to say so may have it: `check` follows it.
      else if (code !== 'ERR_CLUTCH_TIMEOUT') this.#again(run, 'gone');
    }
  }

  /** @returns the worker with the fewest runs, by chance among equals */
  #pick({ refused }: Run): string | undefined {
    const load = (pid: string): number => [...this.#runs.values()].filter(({ worker }) => worker === pid).length;
    const candidates = this.#workers
      .filter((pid) => !refused.has(pid))
      .map((pid) => ({ pid, load: load(pid), chance: Math.random() }));
    return candidates.sort((a, b) => a.load - b.load || a.chance - b.chance)[0]?.pid;
  }

  #again(run: Run, reason: string): void {
    if (this.#closed || !this.#runs.has(run.id)) return;
    if (run.worker !== undefined) run.refused.set(run.worker, reason);
    run.worker = undefined;
    if (run.target === undefined) void this.#dispatch(run);
    else this.#fail(run, `app worker ${run.target} did not run it: ${reason}`, reason === 'closing' ? 'info' : 'error');
  }

  /** There are other workers than before. */
  #onWorkers(): void {
    for (const run of this.#runs.values()) if (run.worker === undefined) void this.#dispatch(run);
    void this.#check();
  }

  /** Looks for runs whose worker has died; one that drains still has them. */
  async #check(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const left = new Map<string, Run[]>();
    for (const run of this.#runs.values()) {
      if (run.worker !== undefined && !this.#workers.includes(run.worker)) {
        left.set(run.worker, [...(left.get(run.worker) ?? []), run]);
      }
    }
    if (left.size === 0 || this.#closed) return;
    for (const [worker, runs] of left) {
      const state = await this.#stateOf(worker);
      if (!state) continue;
      const running = new Set(state.running.map(({ id }) => id));
      for (const run of runs) if (run.worker === worker && !running.has(run.id)) this.#lose(run);
    }
    if (!this.#timer && !this.#closed) this.#timer = setTimeout(() => void this.#check(), CHECK_INTERVAL);
  }

  #lose(run: Run): void {
    if (this.#closed || !this.#runs.has(run.id)) return;
    if (run.target !== undefined || run.retries === 0) {
      this.#fail(run, `app worker ${run.worker} died during the run`);
      return;
    }
    run.retries -= 1;
    this.#logger.warn('[Job#%s] %s begins again: app worker %s died during the run', run.id, run.key, run.worker);
    this.#again(run, 'gone');
  }

  /** @param level `info` for what a reload brings with it */
  #fail({ key, id, worker, begin }: Run, message: string, level: 'info' | 'error' = 'error'): void {
    this.#logger[level]('[Job#%s] %s failed: %s', id, key, message);
    const workerId = worker === undefined ? undefined : Number(worker);
    this.#finish({ key, id, success: false, workerId, rt: Date.now() - begin, message });
  }

  #finish(result: JobResult): void {
    const run = this.#runs.get(result.id);
    if (!run) return;
    this.#runs.delete(result.id);
    run.end(result);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }
}

/** Promise.withResolvers, which Node 20 has not. */
function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve };
}
