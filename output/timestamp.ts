let second = Number.NaN;
let upToSecond = '';
let millisecond = Number.NaN;
let formatted = '';

/** @returns `YYYY-MM-DD HH:mm:ss,SSS` of now; a date is put together once a second */
export function timestamp(): string {
  const now = Date.now();
  if (now === millisecond) return formatted;
  millisecond = now;
  const rest = ((now % 1000) + 1000) % 1000;
  if (now - rest !== second) {
    second = now - rest;
    const date = new Date(now);
    const two = (value: number): string => String(value).padStart(2, '0');
    const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
    upToSecond = `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())},`;
  }
  formatted = upToSecond + (rest < 10 ? '00' : rest < 100 ? '0' : '') + rest;
  return formatted;
}
