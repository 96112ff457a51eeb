import { dateTime } from '../../output/timestamp.js';

export const LOG_LEVELS = ['DEBUG', 'INFO', 'WARN', 'ERROR', 'NONE'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** An entry of a log: a line, with those that follow without a time of their own, such as the frames of a stack. */
export interface LogLine {
  /** An ISO 8601 time. */
  at: string;
  /** 0 when the entry does not say which process wrote it. */
  pid: number;
  /** INFO when the entry has none, ERROR in what a daemon prints on stderr. */
  level: LogLevel;
  /** The log's file name, or `stdout`. */
  log: string;
  /** Without time, level and pid. */
  text: string;
  traceId?: string;
}

/** An entry as it was read. */
export interface LogEntry extends LogLine {
  /** Milliseconds since the epoch. */
  time: number;
  /** The entry as the log has it; that of a JSON log in the form of a text log. */
  printed: string;
}

const HEAD =
  /^(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)(?: (DEBUG|INFO|WARN|ERROR|NONE) (\d{1,10})(?: |$))?/;
/** `[userId/ip/traceId/use timems METHOD url]`; only the url can be long. */
const REQUEST = /^\[[^[\]]{0,200}?\/[^/[\]]{0,100}\/([^/[\]\s]{1,200})\/[\d.]+ms [A-Z-]+ /;
/** Characters of a line that are parsed as JSON. */
const LONGEST_JSON = 1024 * 1024;
/** What a JSON log says of an entry besides its text. */
const JSON_META = ['level', 'date', 'time', 'timestamp', 'pid', 'hostname', 'message', 'msg', 'paddingMessage'];
/** Levels of pino and bunyan. */
const LEVEL_NUMBERS: Record<number, LogLevel> = { 10: 'DEBUG', 20: 'DEBUG', 30: 'INFO', 40: 'WARN', 50: 'ERROR' };

/** Whether a line begins an entry. */
export function beginsEntry(line: string): boolean {
  return HEAD.test(line) || parseJson(line) !== undefined;
}

/**
 * @param lines of one entry; the first one says when it was written
 * @param fallback its time if it does not
 */
export function parseEntry(lines: readonly string[], log: string, fallback: number): LogEntry {
  const [first = ''] = lines;
  const json = parseJson(first);
  if (json) return fromJson(json, lines.slice(1), log);
  const [head = '', time, level, pid = '0'] = HEAD.exec(first) ?? [];
  const printed = lines.join('\n').trimEnd();
  const text = level === undefined ? printed : printed.slice(head.length);
  const at = time === undefined ? fallback : millisecondsOf(time);
  return entry({ time: at, pid: Number(pid), level: (level as LogLevel) ?? levelOf(log), log, text }, printed);
}

/** @returns when two entries of several logs say the same: an error is in `common-error.log` as well, a line also in a JSON log */
export function identityOf({ time, pid, level, text }: LogEntry): string {
  return `${time} ${pid} ${level} ${text}`;
}

/** @returns the entry without what only readers of logs need */
export function toLogLine({ time: _, printed: __, ...line }: LogEntry): LogLine {
  return line;
}

function entry(known: Omit<LogEntry, 'at' | 'printed' | 'traceId'>, printed: string, trace?: string): LogEntry {
  const traceId = trace ?? REQUEST.exec(known.text)?.[1];
  const at = new Date(known.time).toISOString();
  return { ...known, at, printed, ...(traceId === undefined || traceId === '-' ? {} : { traceId }) };
}

function levelOf(log: string): LogLevel {
  return /(?:stderr|error)\.log$/.test(log) ? 'ERROR' : 'INFO';
}

/** @param time in the time zone of this process unless it names another one, as logs do */
function millisecondsOf(time: string): number {
  const parsed = Date.parse(time.replace(' ', 'T').replace(',', '.'));
  return Number.isNaN(parsed) ? 0 : parsed;
}

function parseJson(line: string): (Record<string, unknown> & { at: number }) | undefined {
  if (line[0] !== '{' || line.length > LONGEST_JSON || line.trimEnd().at(-1) !== '}') return undefined;
  try {
    const data = JSON.parse(line) as Record<string, unknown>;
    const time = data['date'] ?? data['time'] ?? data['timestamp'];
    const at = typeof time === 'number' ? time : typeof time === 'string' ? millisecondsOf(time) : 0;
    return at > 0 && at < 8.64e15 ? { ...data, at } : undefined;
  } catch {
    return undefined;
  }
}

function fromJson(data: Record<string, unknown> & { at: number }, more: readonly string[], log: string): LogEntry {
  const { at: time, level, pid, message, msg, paddingMessage } = data;
  const rest = Object.entries(data).filter(([key]) => key !== 'at' && !JSON_META.includes(key));
  const parts = [
    paddingMessage,
    message ?? msg,
    rest.length > 0 ? JSON.stringify(Object.fromEntries(rest)) : undefined,
  ];
  const text = [parts.filter((part) => part !== undefined && part !== '').join(' '), ...more].join('\n').trimEnd();
  const known = {
    time,
    pid: Number.isInteger(pid) ? (pid as number) : 0,
    level: jsonLevel(level) ?? levelOf(log),
    log,
  };
  const trace = data['traceId'] ?? data['trace_id'];
  const printed = `${localTime(time)} ${known.level} ${known.pid} ${text}`;
  return entry({ ...known, text }, printed, typeof trace === 'string' ? trace : undefined);
}

function jsonLevel(level: unknown): LogLevel | undefined {
  if (typeof level === 'number') return level > 50 ? 'ERROR' : LEVEL_NUMBERS[level];
  return LOG_LEVELS.find((each) => each === String(level).toUpperCase());
}

function localTime(at: number): string {
  return `${dateTime(at)},${String(at % 1000).padStart(3, '0')}`;
}
