import path from 'node:path';

/** Milliseconds from the rotation until a log is compressed: every process has opened its new file by then. */
export const GZIP_DELAY = 10_000;

const HOUR = 60 * 60 * 1000;
/** Just under a day: the daily rotation runs a second after midnight, and may be a minute late. */
const ABOUT_A_DAY = 24 * HOUR - 2 * 60 * 1000;

const two = (value: number): string => String(value).padStart(2, '0');

function dayOf(date: Date): string {
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** @returns the name of a log with what was written on the day before `now` (milliseconds since the epoch) */
export function nameOfDay(file: string, now: number): string {
  return `${file}.${dayOf(new Date(now - ABOUT_A_DAY))}`;
}

/** @returns the name of a log with what was written in the hour before `now` */
export function nameOfHour(file: string, delimiter: string, now: number): string {
  const date = new Date(now - HOUR);
  return `${file}.${dayOf(date)}${delimiter}${two(date.getHours())}`;
}

/**
 * @param names of files in a directory
 * @param logs base names of the logs that are written there
 * @returns rotated logs, by day or hour, that are older than `maxDays`
 */
export function expiredLogs(
  names: readonly string[],
  logs: ReadonlySet<string>,
  maxDays: number,
  now: number,
): string[] {
  const oldest = dayOf(new Date(now - maxDays * 24 * HOUR));
  return names.filter((name) => {
    const [, log = '', day = ''] = /^(.+)\.(\d{4}-\d\d-\d\d)(?:\D.*)?$/.exec(name) ?? [];
    return (logs.has(log) || path.extname(log) === '.log') && day < oldest;
  });
}
