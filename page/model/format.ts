/** Numbers and times as the page writes them. A dash stands for what is not known. */

const UNKNOWN = '–';
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** @returns three digits that count: `0.04`, `1.2`, `12.3`, `1,234` */
export function formatNumber(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return UNKNOWN;
  const size = Math.abs(value);
  const digits = size >= 100 || Number.isInteger(value) ? 0 : size >= 1 ? 1 : 2;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}

/** @returns `0.4 ms`, `12 ms`, `1.2 s`, `3 min 5 s` */
export function formatMilliseconds(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return UNKNOWN;
  if (value < 10) return `${formatNumber(Math.round(value * 10) / 10)} ms`;
  if (value < SECOND) return `${Math.round(value)} ms`;
  if (value < MINUTE) return `${formatNumber(Math.round(value / 10) / 100)} s`;
  return formatDuration(value);
}

/** @returns the two largest units: `4 s`, `3 min 5 s`, `2 h 10 min`, `12 d 3 h` */
export function formatDuration(milliseconds: number | undefined): string {
  if (milliseconds === undefined || !Number.isFinite(milliseconds)) return UNKNOWN;
  const units: [number, string][] = [
    [DAY, 'd'],
    [HOUR, 'h'],
    [MINUTE, 'min'],
    [SECOND, 's'],
  ];
  const first = units.findIndex(([unit]) => milliseconds >= unit);
  if (first === -1) return '0 s';
  let rest = milliseconds;
  return units
    .slice(first, first + 2)
    .map(([unit, name]) => {
      const count = Math.floor(rest / unit);
      rest %= unit;
      return count > 0 ? `${count} ${name}` : '';
    })
    .filter(Boolean)
    .join(' ');
}

/** @param mebibytes as the Master reports memory */
export function formatMemory(mebibytes: number | undefined): string {
  if (mebibytes === undefined) return UNKNOWN;
  return mebibytes >= 1024 ? `${formatNumber(mebibytes / 1024)} GiB` : `${Math.round(mebibytes)} MiB`;
}

export function formatPercent(value: number | undefined): string {
  if (value === undefined) return UNKNOWN;
  if (value > 0 && value < 0.1) return '< 0.1 %';
  return `${value < 10 ? formatNumber(Math.round(value * 10) / 10) : Math.round(value)} %`;
}

/** @returns `just now`, `12 s ago`, `in 3 min 20 s` */
export function formatAgo(at: string | number, now: number): string {
  const distance = now - new Date(at).getTime();
  if (Math.abs(distance) < SECOND) return 'just now';
  return distance > 0 ? `${formatDuration(distance)} ago` : `in ${formatDuration(-distance)}`;
}

/** @returns the local time of day, with the date when it is not today's */
export function formatClock(at: string | number, now: number): string {
  const time = new Date(at);
  const pad = (value: number): string => String(value).padStart(2, '0');
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(pad).join(':');
  if (time.toDateString() === new Date(now).toDateString()) return clock;
  return `${time.getFullYear()}-${pad(time.getMonth() + 1)}-${pad(time.getDate())} ${clock}`;
}

/** @returns `1 worker`, `3 workers` */
export function count(value: number, singular: string, plural = `${singular}s`): string {
  return `${formatNumber(value)} ${value === 1 ? singular : plural}`;
}
