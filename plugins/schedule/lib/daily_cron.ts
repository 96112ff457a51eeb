/** Milliseconds. */
const DAY = 24 * 60 * 60 * 1000;
const SECOND = 1000;

/** Second, minute and hour at which something is due; undefined stands for every one. */
export interface DailyCron {
  second: number | undefined;
  minute: number | undefined;
  hour: number | undefined;
}

/** The greatest second, minute and hour. */
const GREATEST = [59, 59, 23] as const;

/**
 * Reads a cron that is due every day: seconds (if there are six fields), minutes and hours are numbers or stars, the rest are
 * stars.
 *
 * @returns undefined for any other cron, which takes a parser
 */
export function parseDailyCron(cron: string): DailyCron | undefined {
  const fields = cron.split(' ');
  if (fields.length === 5) fields.unshift('0');
  if (fields.length !== 6 || fields.slice(3).some((field) => field !== '*')) return undefined;
  const numbers: (number | undefined)[] = [];
  for (const [index, greatest] of GREATEST.entries()) {
    const field = fields[index] as string;
    if (field !== '*' && !(/^\d{1,2}$/.test(field) && Number(field) <= greatest)) return undefined;
    numbers.push(field === '*' ? undefined : Number(field));
  }
  const [second, minute, hour] = numbers;
  return { second, minute, hour };
}

/**
 * @param since milliseconds since the epoch
 * @returns the first time after `since`, in milliseconds since the epoch; undefined if clocks are changed within a day of it,
 * where local time is not as regular as this is
 */
export function nextOfDaily({ second, minute, hour }: DailyCron, since: number): number | undefined {
  const offset = localOffset(since);
  // Local time as if it were UTC.
  const time = new Date(Math.floor((since + offset) / SECOND) * SECOND + SECOND);
  for (;;) {
    if (hour !== undefined && time.getUTCHours() !== hour) time.setUTCHours(time.getUTCHours() + 1, 0, 0);
    else if (minute !== undefined && time.getUTCMinutes() !== minute) time.setUTCMinutes(time.getUTCMinutes() + 1, 0);
    else if (second !== undefined && time.getUTCSeconds() !== second) time.setUTCSeconds(time.getUTCSeconds() + 1);
    else break;
  }
  const due = time.getTime() - offset;
  return [since - DAY, due, due + DAY].every((each) => localOffset(each) === offset) ? due : undefined;
}

/** @returns milliseconds that local time is ahead of UTC */
function localOffset(time: number): number {
  return -new Date(time).getTimezoneOffset() * 60 * SECOND;
}
