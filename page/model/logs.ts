import type { LogLine } from '../../cluster/logs/log_line.js';

/** The choices of the level filter. */
export const LEVELS: LogLine['level'][] = ['DEBUG', 'INFO', 'WARN', 'ERROR'];
/** More would make the page slow. */
const MOST_LINES = 1000;

export interface LogFilter {
  text: string;
  /** Lines of this level and above. */
  level: LogLine['level'];
  pid: string;
  trace: string;
}

export function matchLine(line: LogLine, { text, level, pid, trace }: LogFilter): boolean {
  return (
    rankOf(line.level) >= rankOf(level) &&
    (pid === '' || String(line.pid) === pid) &&
    (trace === '' || (line.traceId?.includes(trace) ?? line.text.includes(trace))) &&
    (text === '' || line.text.toLowerCase().includes(text.toLowerCase()))
  );
}

/** An entry of level NONE is written whatever the level of the log is. */
function rankOf(level: LogLine['level']): number {
  const rank = LEVELS.indexOf(level);
  return rank === -1 ? LEVELS.length : rank;
}

/**
 * Lines that the server does not keep any more stay here, also over a lost connection.
 *
 * @param isFirst whether `sent` has all lines that the server keeps, not only those since the last time
 */
export function appendLines(known: LogLine[], sent: LogLine[], isFirst: boolean): LogLine[] {
  const last = known.at(-1);
  if (!last) return sent;
  const index = isFirst ? sent.findLastIndex((line) => isSame(line, last)) : -1;
  if (isFirst && index === -1) return sent;
  return [...known, ...sent.slice(index + 1)].slice(-MOST_LINES);
}

function isSame(a: LogLine, b: LogLine): boolean {
  return a.at === b.at && a.pid === b.pid && a.text === b.text && a.log === b.log;
}

/** @returns a key for each line that stays the same when earlier ones are gone */
export function keysOf(lines: LogLine[]): string[] {
  const seen = new Map<string, number>();
  return lines.map(({ at, pid, log, text }) => {
    const key = `${at} ${pid} ${log} ${text}`;
    const times = (seen.get(key) ?? 0) + 1;
    seen.set(key, times);
    return times === 1 ? key : `${key} ${times}`;
  });
}
