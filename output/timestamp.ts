let second = Number.NaN;
let upToSecond = '';
let millisecond = Number.NaN;
let formatted = '';

/**
 * The form of every time that people read: tables of the command line, and logs, which add milliseconds. In the time zone of the process.
 *
 * @param at milliseconds since the epoch
 * @returns `YYYY-MM-DD HH:mm:ss`
 */
export function dateTime(at: number): string {
  const date = new Date(at);
  const day = `${date.getFullYear()}-${twoDigits(date.getMonth() + 1)}-${twoDigits(date.getDate())}`;
  return `${day} ${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}:${twoDigits(date.getSeconds())}`;
}

/** @returns `HH:mm:ss` of now, for lines that are read as they come */
export function clockTime(): string {
  return dateTime(Date.now()).slice(11);
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/** @returns `YYYY-MM-DD HH:mm:ss,SSS` of now; a date is put together once a second */
export function timestamp(): string {
  const now = Date.now();
  if (now === millisecond) return formatted;
  millisecond = now;
  const rest = ((now % 1000) + 1000) % 1000;
  if (now - rest !== second) {
    second = now - rest;
    upToSecond = `${dateTime(now)},`;
  }
  formatted = upToSecond + (rest < 10 ? '00' : rest < 100 ? '0' : '') + rest;
  return formatted;
}
