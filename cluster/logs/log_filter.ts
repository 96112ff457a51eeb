import { LOG_LEVELS, type LogEntry, type LogLevel } from './log_line.js';

export type LoggingKind = 'master' | 'agent' | 'app worker';

export type LogFilter = (entry: LogEntry) => boolean;

/** Which entries are wanted; without any, all are. */
export interface WantedEntries {
  /** The least one. */
  level?: LogLevel | undefined;
  process?: number | LoggingKind | undefined;
  trace?: string | undefined;
}

/** @param kinds what the processes of the app are or were, by pid */
export function logFilter(
  { level, process, trace }: WantedEntries,
  kinds: ReadonlyMap<number, LoggingKind>,
): LogFilter {
  const least = level === undefined ? 0 : LOG_LEVELS.indexOf(level);
  return (entry) => {
    if (LOG_LEVELS.indexOf(entry.level) < least) return false;
    if (trace !== undefined && entry.traceId !== trace && !entry.text.includes(trace)) return false;
    if (process === undefined) return true;
    return typeof process === 'number' ? entry.pid === process : kindOf(entry, kinds) === process;
  };
}

/** @returns what wrote an entry; of a process that nobody remembers its log and text say it, if anything */
function kindOf({ pid, log, text }: LogEntry, kinds: ReadonlyMap<number, LoggingKind>): LoggingKind | undefined {
  const known = kinds.get(pid);
  if (known) return known;
  if (text.startsWith('[master]')) return 'master';
  if (log.endsWith('-agent.log')) return 'agent';
  return log.endsWith('-web.log') && !kinds.has(pid) ? 'app worker' : undefined;
}
