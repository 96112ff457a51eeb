import { ClutchError, toError } from '../../../../errors.js';
import { type Agent, milliseconds } from '../../../../framework/index.js';
import { ScheduleStrategy } from '../../../schedule/lib/strategy.js';
import { Timetable, timesOf } from '../../../schedule/lib/timetable.js';
import type { Job, JobResult, ScheduleOptions } from '../../../schedule/lib/types.js';
import type { Bucket } from '../adapter/adapter.js';
import { claim, finish, isLost, reassign, type TickRun, type Ticks } from './ticks.js';

/** Ticks that are counted as missed at most. */
const MISSED_LIMIT = 1000;
/** Attempts of a compare-and-set before it is left to the next occasion. */
const ATTEMPTS = 20;

/** What a task of type `fleet` gets as its argument. */
interface FleetTick {
  /** The time for which it runs, in milliseconds since the epoch. */
  due: number;
  /** From 1; grows when the run begins again because its machine died. */
  attempt: number;
  /** Fencing token: greater than that of every run before. */
  token: number;
}

/** Runs a task once over all machines at each of its times: the machine that claims the time first runs it. */
export class FleetStrategy extends ScheduleStrategy {
  readonly #times: NonNullable<ReturnType<typeof timesOf>>;
  readonly #timetable: Timetable;
  #pending: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Runs of this machine by their time. */
  readonly #own = new Map<number, TickRun>();
  #name = '';
  #closed = false;

  /** @throws {ClutchError} ERR_CLUTCH_CONFIG */
  constructor(schedule: ScheduleOptions, agent: Agent, key: string) {
    super(schedule, agent, key);
    const { immediate, overlap = 'skip' } = schedule;
    const times = timesOf(schedule, key);
    const wrong = (what: string, fix: string): ClutchError =>
      new ClutchError('ERR_CLUTCH_CONFIG', what, { where: key, fix });
    if (!times) throw wrong('a schedule of type "fleet" has no interval and no cron', 'Say when it runs.');
    if (immediate)
      throw wrong(
        'a schedule of type "fleet" cannot be immediate',
        'Each machine starts at its own time: use type "worker".',
      );
    if (overlap === 'queue')
      throw wrong('a schedule of type "fleet" cannot queue runs', 'Give overlap: "skip" or "allow".');
    this.#times = times;
    this.#timetable = new Timetable(times, ({ due }) => void this.#onTick(due));
  }

  /** When it runs next, in milliseconds since the epoch. */
  get next(): number | undefined {
    return this.#timetable.due;
  }

  get #bucket(): Bucket {
    return this.agent.fleet.bucket({ name: 'schedules', ttl: 0 });
  }

  get #owner() {
    const { member, incarnation } = this.agent.fleet;
    return { member, incarnation };
  }

  override start(): void {
    this.#name = this.agent.schedule.nameOf(this.key);
    const { interval } = this.schedule;
    // All machines have the same times: multiples of the interval since the epoch.
    const period = interval ? Math.max(1, milliseconds(interval, `schedule.interval of ${this.key}`)) : 1;
    this.#timetable.start(Math.floor(Date.now() / period) * period);
    this.agent.fleet.schedules.add(this);
    this.agent.fleet.onConnect(() => void this.#onTick(this.#pending));
    void this.#reclaim();
  }

  override close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#timetable.stop();
    this.agent.fleet.schedules.remove(this);
  }

  /** A run that the Agent before this one has begun goes on. */
  override onJobAdopted({ args: [tick] }: Job, ended: Promise<JobResult>): void {
    const { due, attempt } = tick as FleetTick;
    if (typeof due !== 'number') return;
    const run: TickRun = { due, attempt, at: Date.now(), ...this.#owner };
    this.#own.set(due, run);
    void ended.then((result) => this.#finish(run, result));
  }

  /** Runs of this machine that its last Agent has begun: those that still run are kept, the others begin again. */
  async #reclaim(): Promise<void> {
    const { member, incarnation } = this.#owner;
    const found = await this.#read().catch(() => undefined);
    for (const run of found?.ticks.runs ?? []) {
      if (run.member !== member || run.incarnation === incarnation) continue;
      if (!this.#own.has(run.due)) await this.retake(run);
      else await this.#change((ticks) => ticks && reassign(ticks, run, this.#owner, run.attempt, run.at));
    }
  }

  async #onTick(due: number | undefined): Promise<void> {
    if (due === undefined || this.#closed) return;
    this.#pending = Math.max(due, this.#pending ?? 0);
    clearTimeout(this.#timer);
    try {
      await this.#claim(this.#pending);
      if ((this.#pending ?? 0) <= due) this.#pending = undefined;
    } catch (error) {
      this.logger.warn('[fleet] %s waits for the fleet: %s', this.#name, toError(error).message);
      if (!this.#closed) this.#timer = setTimeout(() => void this.#onTick(this.#pending), this.agent.fleet.lease / 4);
    }
  }

  async #claim(due: number): Promise<void> {
    const overlap = this.schedule.overlap === 'allow';
    let outcome: ReturnType<typeof claim> = { is: 'taken' };
    let missed = 0;
    const token = await this.#change((ticks) => {
      missed = ticks ? this.#missedBetween(ticks.due, due) : 0;
      outcome = claim(ticks, { due, owner: this.#owner, missed, now: Date.now(), overlap });
      return outcome.is === 'taken' ? undefined : outcome.ticks;
    });
    const result = outcome as ReturnType<typeof claim>;
    if (token === undefined || result.is === 'taken') return;
    if (missed > 0)
      this.logger.warn(
        '[fleet] %s: the fleet missed %d runs before %s',
        this.#name,
        missed,
        new Date(due).toISOString(),
      );
    if (result.is === 'skipped') {
      const { member, at } = result.running;
      this.logger.warn('[fleet] %s is skipped: it runs on %s since %s', this.#name, member, new Date(at).toISOString());
      return;
    }
    const run = result.ticks.runs.at(-1);
    if (run) void this.#run(run, token);
  }

  #missedBetween(last: number, due: number): number {
    let missed = 0;
    let next = this.#times.first(last);
    while (next !== undefined && next < due && missed < MISSED_LIMIT) {
      missed += 1;
      next = this.#times.first(next);
    }
    return missed;
  }

  /** For the machine that leads: begins runs again whose machine is gone. */
  async recover(): Promise<void> {
    const found = await this.#read();
    if (!found || found.ticks.runs.length === 0) return;
    const members = new Map((await this.agent.fleet.members()).map((member) => [member.id, member]));
    for (const run of found.ticks.runs) {
      const grace = 2 * this.agent.fleet.lease;
      if (isLost(run, members.get(run.member), { now: Date.now(), grace })) await this.retake(run);
    }
  }

  /** Runs again what another Agent has left behind. */
  async retake(run: TickRun): Promise<void> {
    if (run.attempt > (this.schedule.retry ?? 1)) {
      const message = `machine ${run.member} died during the run`;
      const ended = { success: false, rt: Date.now() - run.at, message };
      const written = await this.#change((ticks) => ticks && finish(ticks, run, ended));
      if (written !== undefined) this.logger.error('[fleet] %s failed: %s', this.#name, message);
      return;
    }
    const next: TickRun = { ...run, ...this.#owner, attempt: run.attempt + 1, at: Date.now() };
    const token = await this.#change((ticks) => ticks && reassign(ticks, run, this.#owner, next.attempt, next.at));
    if (token === undefined) return;
    this.logger.warn('[fleet] %s begins again: machine %s died during the run', this.#name, run.member);
    void this.#run(next, token);
  }

  async #run(run: TickRun, token: number): Promise<void> {
    this.#own.set(run.due, run);
    const { due, attempt } = run;
    const result = await this.sendOne({ due, attempt, token } satisfies FleetTick);
    await this.#finish(run, result);
  }

  /** Until the fleet has it: a run that nobody ends would keep the next one from running. */
  async #finish(run: TickRun, result: JobResult): Promise<void> {
    while (!this.#closed) {
      try {
        await this.#change((ticks) => ticks && finish(ticks, run, result));
        break;
      } catch (error) {
        this.logger.warn('[fleet] the result of %s waits for the fleet: %s', this.#name, toError(error).message);
        await new Promise((resolve) => setTimeout(resolve, this.agent.fleet.lease / 4).unref());
      }
    }
    this.#own.delete(run.due);
  }

  async #read(): Promise<{ ticks: Ticks; revision: number } | undefined> {
    const entry = await this.#bucket.get(this.#name);
    return entry && { ticks: JSON.parse(entry.value) as Ticks, revision: entry.revision };
  }

  /**
   * Compare-and-set, again when another machine was faster.
   *
   * @param change undefined leaves it as it is
   * @returns the new revision, undefined if nothing was changed
   */
  async #change(change: (ticks: Ticks | undefined) => Ticks | undefined): Promise<number | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const found = await this.#read();
      const next = change(found?.ticks);
      if (!next) return undefined;
      const written = await this.#bucket.put(this.#name, JSON.stringify(next), found?.revision ?? 0);
      if (written !== undefined) return written;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
    }
    throw new ClutchError('ERR_CLUTCH_FLEET', `${ATTEMPTS} times another machine was faster`);
  }
}
