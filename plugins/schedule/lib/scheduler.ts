import { ClutchError } from '../../../errors.js';
import type { Agent, Logger } from '../../../framework/index.js';
import { channels, trace } from '../../../tracing/channels.js';
import { History, type PastRun } from './history.js';
import { findItem, loadItems } from './items.js';
import { Runs } from './runs.js';
import type { ScheduleStrategy } from './strategy.js';
import { AllStrategy, type TimerScheduleStrategy, WorkerStrategy } from './timer_strategy.js';
import { ACTION, type JobResult, type ScheduleItem, type ScheduleOptions } from './types.js';

export type StrategyClass = new (schedule: ScheduleOptions, agent: Agent, key: string) => ScheduleStrategy;

/** What `clutch schedule` asks. */
type Command = { command: 'list' } | { command: 'run'; name: string; args: unknown[] };

/** What `clutch schedule list` prints of a schedule. */
export interface ScheduleReport {
  name: string;
  key: string;
  type: string;
  /** e.g. `every 10s`, or the cron expression. */
  when: string;
  disabled: boolean;
  /** Milliseconds since the epoch. */
  next: number | undefined;
  running: boolean;
  /** The last run first. */
  history: readonly PastRun[];
}

/** `agent.schedule`: decides when tasks run, and has app workers run them. */
export class Scheduler {
  readonly #agent: Agent;
  readonly #logger: Logger;
  readonly #classes = new Map<string, StrategyClass>([
    ['worker', WorkerStrategy],
    ['all', AllStrategy],
  ]);
  readonly #items: Record<string, ScheduleItem> = {};
  readonly #strategies = new Map<string, ScheduleStrategy>();
  readonly #runs: Runs;
  readonly #history: History;
  /** Keys whose immediate run has been dispatched, by this Agent or one before it. */
  readonly #immediate = new Set<string>();
  #started = false;
  #closed = false;
  #since: number | undefined;
  #count = 0;

  constructor(agent: Agent) {
    this.#agent = agent;
    this.#logger = agent.getLogger('scheduleLogger') ?? agent.coreLogger;
    this.#runs = new Runs(agent, this.#logger);
    this.#history = new History(agent.config['rundir'] as string, (error) =>
      this.#logger.warn('the history of schedules is not written: %s', error.message),
    );
    agent.messenger.on('egg-pids', () => this.#shareImmediate());
    agent.messenger.onRequest(ACTION.command, (command: Command) => this.#obey(command));
  }

  /** Adds a type of schedules; before the Agent is ready. */
  use(type: string, Class: StrategyClass): void {
    this.#classes.set(type, Class);
  }

  /**
   * Loads the schedule files and prepares what is not disabled.
   *
   * @throws {ClutchError} ERR_CLUTCH_CONFIG for a type that there is not, or times that cannot be read
   */
  init(): void {
    for (const item of Object.values(loadItems(this.#agent))) this.registerSchedule(item);
  }

  /** @throws {ClutchError} ERR_CLUTCH_CONFIG */
  registerSchedule(item: ScheduleItem): void {
    const { key, schedule } = item;
    this.unregisterSchedule(key);
    this.#items[key] = item;
    if (schedule.disable) return;
    const Class = this.#classes.get(schedule.type as string);
    if (!Class) {
      throw new ClutchError('ERR_CLUTCH_CONFIG', `schedule type [${schedule.type}] is not defined`, {
        where: key,
        fix: `There are: ${[...this.#classes.keys()].join(', ')}; add one with agent.schedule.use().`,
      });
    }
    const strategy = new Class(schedule, this.#agent, key);
    this.#strategies.set(key, strategy);
    if (this.#started) strategy.start();
  }

  /** @returns whether there was one */
  unregisterSchedule(key: string): boolean {
    this.#strategies.get(key)?.close?.();
    this.#strategies.delete(key);
    return delete this.#items[key];
  }

  /** Starts the clock: the cluster is ready, or the Agent has been replaced. */
  async start(): Promise<void> {
    this.#since = Date.now();
    // An Agent before this one may have left runs behind, and has dispatched what is immediate.
    if (this.#agent.options.leader?.agent !== undefined) await this.#takeOver();
    if (this.#closed || this.#started) return;
    this.#started = true;
    for (const strategy of this.#strategies.values()) strategy.start();
    this.#since = undefined;
  }

  /** From when on times are due, in milliseconds since the epoch; undefined for now. */
  get since(): number | undefined {
    return this.#since;
  }

  async #takeOver(): Promise<void> {
    const { messenger } = this.#agent;
    if (messenger.opids.length === 0) await new Promise((resolve) => messenger.once('egg-pids', resolve));
    const { running, immediate, agentDied } = await this.#runs.adopt();
    // What was due while there was no Agent runs now, once.
    this.#since = agentDied ?? this.#since;
    for (const key of immediate) this.#immediate.add(key);
    for (const job of running) {
      const { id, key } = job;
      this.#logger.info('[Job#%s] %s is still running', id, key);
      const ended = this.#runs.resultOf(id);
      if (!ended) continue;
      void ended.then((result) => this.#history.add(result));
      this.#strategies.get(key)?.onJobAdopted?.(job, ended);
    }
  }

  /** @returns what commands and logs call a schedule: the same on all machines */
  nameOf(key: string): string {
    return this.#items[key]?.name ?? key;
  }

  close(): void {
    this.#closed = true;
    for (const strategy of this.#strategies.values()) strategy.close?.();
    this.#runs.close();
    this.#history.flush();
  }

  /** @returns whether the immediate run of a schedule is due: once for each start of the cluster */
  claimImmediate(key: string): boolean {
    if (this.#immediate.has(key)) return false;
    this.#immediate.add(key);
    this.#shareImmediate();
    return true;
  }

  /** Workers outlive an Agent, and remember it for the next one. */
  #shareImmediate(): void {
    if (this.#immediate.size > 0) this.#agent.messenger.sendToApp(ACTION.immediate, [...this.#immediate]);
  }

  /** @returns when the runs of a schedule have ended, undefined if it is not running */
  endOf(key: string): Promise<unknown> | undefined {
    return this.#runs.endOf(key);
  }

  /** Has one app worker run a task; it begins again on another one if that dies, `schedule.retry` times. */
  send(strategy: ScheduleStrategy, args: unknown[]): Promise<JobResult> {
    return this.#send(strategy, args, { retries: strategy.schedule.retry ?? 1 });
  }

  /** Has every app worker run a task. */
  sendAll(strategy: ScheduleStrategy, args: unknown[]): Promise<JobResult[]> {
    return Promise.all(this.#agent.messenger.opids.map((target) => this.#send(strategy, args, { target })));
  }

  async #send(
    strategy: ScheduleStrategy,
    args: unknown[],
    options: { target?: string; retries?: number },
  ): Promise<JobResult> {
    const { key } = strategy;
    strategy.count += 1;
    const job = { key, id: `${Date.now()}${process.pid}${++this.#count}`, args };
    strategy.onJobStart(job);
    const run = (): Promise<JobResult> => this.#runs.send(job, options);
    const { id } = job;
    const name = this.nameOf(key);
    const result = await (channels.schedule.hasSubscribers
      ? trace('schedule', { phase: 'dispatch', key, name, id }, run)
      : run());
    this.#history.add(result);
    strategy.onJobFinish(result);
    return result;
  }

  #obey(command: Command): unknown {
    return command.command === 'list' ? this.#list() : this.#runNow(command);
  }

  #list(): ScheduleReport[] {
    return Object.values(this.#items).map(({ key, name = key, schedule }) => {
      const strategy = this.#strategies.get(key);
      return {
        name,
        key,
        type: String(schedule.type),
        when: whenOf(schedule),
        disabled: schedule.disable === true,
        next: (strategy as TimerScheduleStrategy | undefined)?.next,
        running: this.#runs.endOf(key) !== undefined,
        history: this.#history.of(key),
      };
    });
  }

  /** @throws {ClutchError} ERR_CLUTCH_NOT_FOUND, ERR_CLUTCH_CONFIG */
  #runNow({ name, args }: { name: string; args: unknown[] }): Promise<JobResult | JobResult[]> {
    const { key, schedule } = findItem(this.#agent, this.#items, name);
    const strategy = this.#strategies.get(key);
    if (!strategy) {
      throw new ClutchError('ERR_CLUTCH_CONFIG', `schedule ${name} is disabled`, {
        where: key,
        fix: 'Remove `disable`, or add this env to `env`.',
      });
    }
    return schedule.type === 'all' ? strategy.sendAll(...args) : strategy.sendOne(...args);
  }
}

function whenOf({ interval, cron, immediate }: ScheduleOptions): string {
  const times = interval ? `every ${typeof interval === 'number' ? `${interval} ms` : interval}` : cron;
  return [immediate ? 'at start' : undefined, times].filter(Boolean).join(', ') || 'by its type';
}
