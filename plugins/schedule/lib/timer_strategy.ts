import { ClutchError, toError } from '../../../errors.js';
import type { Agent } from '../../../framework/index.js';
import { dateTime } from '../../../output/timestamp.js';
import { ScheduleStrategy } from './strategy.js';
import { Timetable, timesOf } from './timetable.js';
import type { ScheduleOptions } from './types.js';

const OVERLAPS = ['skip', 'queue', 'allow'];

/** Calls `handler` by `interval`, `cron` and `immediate`. */
export class TimerScheduleStrategy extends ScheduleStrategy {
  readonly #timetable: Timetable | undefined;
  /** Whether one more run follows the one that has not ended. */
  #queued = false;
  #closed = false;

  /** @throws {ClutchError} ERR_CLUTCH_CONFIG */
  constructor(schedule: ScheduleOptions, agent: Agent, key: string) {
    super(schedule, agent, key);
    const { interval, cron, immediate, overlap = 'skip' } = schedule;
    if (!interval && !cron && !immediate) {
      throw new ClutchError(
        'ERR_CLUTCH_CONFIG',
        'schedule.interval or schedule.cron or schedule.immediate must be present',
        {
          where: key,
          fix: 'Say when it runs.',
        },
      );
    }
    if (!OVERLAPS.includes(overlap)) {
      throw new ClutchError('ERR_CLUTCH_CONFIG', `schedule.overlap is ${JSON.stringify(overlap)}`, {
        where: key,
        fix: `Give one of: ${OVERLAPS.join(', ')}.`,
      });
    }
    const times = timesOf(schedule, key);
    this.#timetable =
      times &&
      new Timetable(times, ({ due, missed }) => {
        if (missed > 0) {
          this.logger.warn('[Timer] %s missed %d runs since %s', key, missed, dateTime(due));
        }
        this.#runUnlessRunning();
      });
  }

  /** When it runs next, in milliseconds since the epoch. */
  get next(): number | undefined {
    return this.#timetable?.due;
  }

  /** What a run does: `sendOne()` or `sendAll()`, as a rule. */
  handler(): unknown {
    throw new ClutchError('ERR_CLUTCH_CONFIG', `schedule type "${this.schedule.type}" has no handler()`, {
      where: this.key,
      fix: 'Override handler() in the class of the type.',
    });
  }

  override start(): void {
    const { schedule } = this.agent;
    this.#timetable?.start(schedule.since);
    if (this.schedule.immediate && schedule.claimImmediate(this.key)) {
      setImmediate(() => {
        if (!this.#closed) this.#runUnlessRunning();
      });
    }
  }

  override close(): void {
    this.#closed = true;
    this.#timetable?.stop();
  }

  #runUnlessRunning(): void {
    const { overlap = 'skip' } = this.schedule;
    const ended = overlap === 'allow' ? undefined : this.agent.schedule.endOf(this.key);
    if (!ended) this.#run();
    else if (overlap === 'skip') this.#skip('the last run has not ended');
    else if (this.#queued) this.#skip('a run is queued already');
    else {
      this.#queued = true;
      void ended.then(() => {
        this.#queued = false;
        if (!this.#closed) this.#runUnlessRunning();
      });
    }
  }

  #skip(reason: string): void {
    this.logger.warn('[Timer] %s is skipped: %s', this.key, reason);
  }

  #run(): void {
    // A class of an app may throw, or be async.
    Promise.resolve()
      .then(() => this.handler())
      .catch((error: unknown) => this.logger.error(toError(error)));
  }
}

export class WorkerStrategy extends TimerScheduleStrategy {
  override handler(): void {
    void this.sendOne();
  }
}

export class AllStrategy extends TimerScheduleStrategy {
  override handler(): void {
    void this.sendAll();
  }
}
