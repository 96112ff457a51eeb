import { stringify } from 'node:querystring';
import { toError } from '../../../errors.js';
import { type Application, milliseconds, withinTime } from '../../../framework/index.js';
import { channels, trace } from '../../../tracing/channels.js';
import { findItem, loadItems } from './items.js';
import {
  ACTION,
  type Acceptance,
  type Job,
  type JobResult,
  processId,
  type ScheduleItem,
  type WorkerState,
} from './types.js';

/** Milliseconds between two attempts to report a result to the Agent, which may be restarting. */
const REPORT_INTERVAL = 1000;

/** Milliseconds that runs may take to end when the one process closes. */
const SINGLE_LIMIT = 5000;

/** `app.scheduleWorker`: runs tasks in this process when the Agent asks for it. */
export class ScheduleWorker {
  readonly #app: Application;
  /** By real path of the file. */
  scheduleItems: Record<string, ScheduleItem> = {};
  /** Runs that the Agent does not know the result of. */
  readonly #jobs = new Map<string, { job: Job; ended: Promise<void> }>();
  readonly #immediate = new Set<string>();
  /** When an Agent died, and the one that came after it. */
  #death: { at: number; next: string | undefined } | undefined;
  #closing = false;

  constructor(app: Application) {
    this.#app = app;
  }

  get #logger() {
    return this.#app.getLogger('scheduleLogger') ?? this.#app.coreLogger;
  }

  /** Loads the schedule files and listens to the Agent. */
  init(): void {
    Object.assign(this.scheduleItems, loadItems(this.#app));
    const { messenger } = this.#app;
    messenger.onRequest(ACTION.job, (job: Job) => this.#accept(job));
    messenger.onRequest(ACTION.state, () => this.#state());
    messenger.on('egg-pids', (ids: number[]) => this.#onAgent(ids));
    messenger.on(ACTION.immediate, (keys: string[]) => {
      for (const key of keys) this.#immediate.add(key);
    });
  }

  #onAgent([id]: (number | null | undefined)[]): void {
    if (id === undefined || id === null) this.#death = { at: Date.now(), next: undefined };
    else if (this.#death && this.#death.next === undefined) this.#death.next = String(id);
    else if (this.#death?.next !== String(id)) this.#death = undefined;
  }

  registerSchedule(item: ScheduleItem): void {
    this.scheduleItems[item.key] = item;
  }

  unregisterSchedule(key: string): boolean {
    return delete this.scheduleItems[key];
  }

  /**
   * Runs a task in this process, whatever its schedule says.
   *
   * @returns what the task returns
   * @throws {ClutchError} ERR_CLUTCH_NOT_FOUND, and what the task throws
   */
  async run(wanted: string, args: unknown[]): Promise<unknown> {
    return this.#execute(findItem(this.#app, this.scheduleItems, wanted), args);
  }

  #execute(item: ScheduleItem, args: unknown[]): unknown {
    const { key, schedule, task } = item;
    const query = stringify(schedule as Record<string, string>);
    const request = { method: 'SCHEDULE', url: `/__schedule?path=${key}&${query}` };
    return this.#app.runInAnonymousContextScope((ctx) => task(ctx, ...args), request);
  }

  #accept(job: Job): Acceptance {
    const { key, id, agent } = job;
    const item = Object.hasOwn(this.scheduleItems, key) ? this.scheduleItems[key] : undefined;
    // Asked twice: the first request was slow.
    if (this.#jobs.has(id)) return { accepted: true };
    const [current = String(agent)] = this.#app.messenger.opids;
    if (current !== String(agent)) return { accepted: false, reason: 'replaced' };
    if (this.#closing) return { accepted: false, reason: 'closing' };
    if (!item || item.schedule.disable) {
      const reason = item ? 'disabled' : 'unknown';
      this.#logger.warn('[Job#%s] %s is %s here and does not run', id, key, reason);
      return { accepted: false, reason };
    }
    this.#jobs.set(id, { job, ended: this.#runJob(job, item) });
    return { accepted: true };
  }

  async #runJob({ key, id, args }: Job, item: ScheduleItem): Promise<void> {
    this.#logger.info('[Job#%s] %s started', id, key);
    const begin = Date.now();
    const result: JobResult = { key, id, success: true, workerId: processId(), rt: 0, message: '' };
    try {
      const run = (): Promise<void> => withinTimeout(item, async () => this.#execute(item, args));
      const name = item.name ?? key;
      await (channels.schedule.hasSubscribers ? trace('schedule', { phase: 'run', key, name, id }, run) : run());
    } catch (thrown) {
      const error = toError(thrown);
      Object.assign(result, { success: false, message: error.message });
      error.message = `[Job#${id}] ${key} failed after ${Date.now() - begin}ms: ${error.message}`;
      this.#logger.error(error);
    }
    result.rt = Date.now() - begin;
    if (result.success) this.#logger.info('[Job#%s] %s succeeded in %sms', id, key, result.rt);
    await this.#report(result);
    this.#jobs.delete(id);
  }

  /** Until the Agent has it: a run that it knows nothing of would block the next one. */
  async #report(result: JobResult): Promise<void> {
    for (;;) {
      try {
        await this.#app.messenger.request('agent', ACTION.job, result);
        return;
      } catch (error) {
        if (this.#closing) {
          this.#logger.warn('[Job#%s] its result does not reach the Agent: %s', result.id, (error as Error).message);
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, REPORT_INTERVAL).unref());
      }
    }
  }

  #state(): WorkerState {
    const running = [...this.#jobs.values()].map(({ job }) => job);
    return { running, immediate: [...this.#immediate], agentDied: this.#death?.at };
  }

  /** Takes no more runs, and waits for those that have begun. */
  async close(): Promise<void> {
    this.#closing = true;
    const ended = Promise.all([...this.#jobs.values()].map((job) => job.ended));
    // In a cluster the Master limits the time to close, and has what is lost run again.
    if (this.#app.options.mode !== 'single') await ended;
    else await withinTime('schedules', SINGLE_LIMIT, ended).catch((error: Error) => this.#logger.warn(error.message));
  }
}

/** @throws an error when the time limit of the schedule is over; the task goes on, since nothing can stop it */
async function withinTimeout({ key, schedule }: ScheduleItem, run: () => Promise<unknown>): Promise<void> {
  const { timeout } = schedule;
  if (timeout === undefined) {
    await run();
    return;
  }
  await withinTime('the task', milliseconds(timeout, `schedule.timeout of ${key}`), run());
}
