import type { LogLine } from '../../cluster/logs/log_line.js';

export const LEVELS: LogLine['level'][] = ['DEBUG', 'INFO', 'WARN', 'ERROR'];
/** More would make the page slow. */
export const MOST_LINES = 1000;

export interface LogFilter {
  text: string;
  /** Lines of this level and above. */
  level: LogLine['level'];
  pid: string;
  trace: string;
}

export function matchLine(line: LogLine, { text, level, pid, trace }: LogFilter): boolean {
  // Output of a process has no level: it is shown unless only errors are asked for.
  const rank = line.level === 'NONE' ? LEVELS.indexOf('INFO') : LEVELS.indexOf(line.level);
  return (
    rank >= LEVELS.indexOf(level) &&
    (pid === '' || String(line.pid) === pid) &&
    (trace === '' || (line.traceId?.includes(trace) ?? line.text.includes(trace))) &&
    (text === '' || line.text.toLowerCase().includes(text.toLowerCase()))
  );
}
