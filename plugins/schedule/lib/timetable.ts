import { createRequire } from 'node:module';
import type { CronExpressionOptions, CronExpressionParser as Parser } from 'cron-parser';
import { ClutchError, toError } from '../../../errors.js';
import { milliseconds } from '../../../framework/index.js';
import { type DailyCron, nextOfDaily, parseDailyCron } from './daily_cron.js';
import type { ScheduleOptions } from './types.js';

const require = createRequire(import.meta.url);

/** Longest time that one timer waits, in milliseconds: it counts no time of a suspended machine, and overflows after 25 days. */
const LONGEST_WAIT = 60_000;

/** Times that are counted as missed at most; from there on the clock is read anew. */
const MISSED_LIMIT = 1000;

/** Times in milliseconds since the epoch; undefined after the end. */
interface Times {
  /** @returns the first time after `since` */
  first(since: number): number | undefined;
  /** @returns the first time after `now`, and how many lie between `due` and that */
  after(due: number, now: number): { due: number | undefined; missed: number };
}

/**
 * Reads `interval`, or else `cron`.
 *
 * @throws {ClutchError} ERR_CLUTCH_CONFIG if they are not usable
 */
export function timesOf({ interval, cron, cronOptions }: ScheduleOptions, key: string): Times | undefined {
  if (interval) return everyPeriod(Math.max(1, milliseconds(interval, `schedule.interval of ${key}`)));
  if (!cron) return undefined;
  try {
    const daily = cronOptions === undefined ? parseDailyCron(cron) : undefined;
    return daily ? dailyTimes(cron, daily) : cronTimes(cron, cronOptions ?? {});
  } catch (error) {
    throw new ClutchError('ERR_CLUTCH_CONFIG', `cron "${cron}" cannot be read: ${toError(error).message}`, {
      where: key,
      fix: 'Give five fields, or six with seconds first, and cronOptions that cron-parser knows.',
      cause: error,
    });
  }
}

function everyPeriod(period: number): Times {
  return {
    first: (since) => since + period,
    after: (due, now) => {
      const missed = Math.floor((now - due) / period);
      return { due: due + (missed + 1) * period, missed };
    },
  };
}

/**
 * Times of a cron that is due every day, as those of the built-in plugins are. The parser, which takes some 30 ms and 4 MB with its
 * library for dates, is loaded on days on which clocks are changed.
 */
function dailyTimes(cron: string, daily: DailyCron): Times {
  const first = (since: number): number | undefined => nextOfDaily(daily, since) ?? cronTimes(cron, {}).first(since);
  return {
    first,
    after: (due, now) => {
      let missed = 0;
      let next = first(due);
      while (next !== undefined && next <= now) {
        missed += 1;
        next = first(missed === MISSED_LIMIT ? now : next);
      }
      return { due: next, missed };
    },
  };
}

function cronTimes(cron: string, { utc, ...given }: Record<string, unknown>): Times {
  const { CronExpressionParser } = require('cron-parser') as { CronExpressionParser: typeof Parser };
  const options: CronExpressionOptions = utc ? { tz: 'UTC', ...given } : given;
  // The parser takes any name, and then finds no time.
  if (options.tz !== undefined) new Intl.DateTimeFormat('en', { timeZone: options.tz });
  let expression = CronExpressionParser.parse(cron, options);
  const next = (): number | undefined => (expression.hasNext() ? expression.next().getTime() : undefined);
  return {
    first: (since) => {
      if (options.currentDate === undefined) {
        expression = CronExpressionParser.parse(cron, { ...options, currentDate: new Date(since) });
      }
      return next();
    },
    after: (_due, now) => {
      let missed = 0;
      for (let due = next(); ; due = next()) {
        if (due === undefined || due > now) return { due, missed };
        missed += 1;
        if (missed === MISSED_LIMIT) {
          expression = CronExpressionParser.parse(cron, { ...options, currentDate: new Date(now) });
        }
      }
    },
  };
}

interface Ring {
  /** When it was due, in milliseconds since the epoch. */
  due: number;
  /** Times that have passed since, without a run of their own. */
  missed: number;
}

/** Calls `ring` at each of the times, once for all that have passed while the process or the machine stood still. */
export class Timetable {
  readonly #times: Times;
  readonly #ring: (ring: Ring) => void;
  #timer: NodeJS.Timeout | undefined;
  #due: number | undefined;

  constructor(times: Times, ring: (ring: Ring) => void) {
    this.#times = times;
    this.#ring = ring;
  }

  /** When it rings next; undefined if it never does. */
  get due(): number | undefined {
    return this.#due;
  }

  /** @param since times before it are past; those after it are due, even if they have gone by */
  start(since = Date.now()): void {
    this.#due = this.#times.first(since);
    this.#wait();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#due = undefined;
  }

  #wait(): void {
    if (this.#due === undefined) return;
    const delay = Math.min(Math.max(this.#due - Date.now(), 0), LONGEST_WAIT);
    this.#timer = setTimeout(() => this.#onTimer(), delay);
  }

  #onTimer(): void {
    const due = this.#due as number;
    const now = Date.now();
    if (now < due) {
      this.#wait();
      return;
    }
    const { due: next, missed } = this.#times.after(due, now);
    this.#due = next;
    this.#wait();
    this.#ring({ due, missed });
  }
}
