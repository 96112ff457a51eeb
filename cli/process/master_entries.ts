import { statSync } from 'node:fs';
import { askMaster } from '../../cluster/index.js';
import type { LogEntry, LogLine } from '../../cluster/logs/log_line.js';
import { dateTime } from '../../output/timestamp.js';
import { daemonLogs } from './daemon.js';
import { reachableMaster } from './running.js';

/** Milliseconds between a line and its file. */
const TOLERANCE = 1000;
/** Milliseconds between two looks. */
const INTERVAL = 1000;

/**
 * What the running Master has printed last to no file: that of `clutch dev`, or of a start in the foreground. What a daemon prints is in its
 * logs.
 *
 * @returns none when no Master runs
 */
export async function masterEntries(baseDir: string): Promise<LogEntry[]> {
  if ((await reachableMaster(baseDir)) === undefined) return [];
  const lines = (await askMaster(baseDir, { command: 'view', name: 'logs' })) as LogLine[];
  const entries = lines.filter(({ log }) => log === 'stdout').map(toEntry);
  const last = entries.at(-1)?.time ?? 0;
  const isInFile = daemonLogs(baseDir).some(
    (file) => (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) > last - TOLERANCE,
  );
  return isInFile ? [] : entries;
}

/** Calls `onEntries` with what the Master prints after the `known` entries. */
export function followMaster(
  baseDir: string,
  known: readonly LogEntry[],
  onEntries: (entries: LogEntry[]) => void,
): void {
  let last = known.at(-1)?.time ?? 0;
  const timer = setInterval(async () => {
    // A Master that ends is replaced by another one, or by none.
    const entries = (await masterEntries(baseDir).catch(() => [])).filter(({ time }) => time > last);
    last = entries.at(-1)?.time ?? last;
    if (entries.length > 0) onEntries(entries);
  }, INTERVAL);
  timer.unref();
}

function toEntry(line: LogLine): LogEntry {
  const time = Date.parse(line.at);
  const text = `[master] ${line.text}`;
  const at = `${dateTime(time)},${String(time % 1000).padStart(3, '0')}`;
  return { ...line, text, time, printed: `${at} ${line.level} ${line.pid} ${text}` };
}
