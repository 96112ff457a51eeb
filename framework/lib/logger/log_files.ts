import { isMainThread } from 'node:worker_threads';
import { LogFile } from './log_file.js';

interface Shared {
  log: LogFile;
  users: number;
}

/** The log files of this process by path: loggers that write the same file write it in order, over one descriptor. */
const files = new Map<string, Shared>();
/** Those that may hold lines. */
const active = new Set<LogFile>();
/** Of files that are closed. */
let lostBefore = 0;
let watchesExit = false;

/** @returns the file at an absolute path; to be given back with `closeLogFile` */
export function openLogFile(file: string, encoding: BufferEncoding): LogFile {
  const known = files.get(file);
  if (known) {
    known.users += 1;
    return known.log;
  }
  const log = new LogFile(file, encoding, activate);
  files.set(file, { log, users: 1 });
  return log;
}

export function closeLogFile(log: LogFile): void {
  const shared = files.get(log.file);
  if (shared?.log === log) shared.users -= 1;
  if (shared && shared.users > 0) {
    log.flush();
    return;
  }
  files.delete(log.file);
  active.delete(log);
  log.close();
  lostBefore += log.lostLines;
}

/** @returns lines that the log files of this process could not take */
export function lostLogLines(): number {
  let lost = lostBefore;
  for (const { log } of files.values()) lost += log.lostLines;
  return lost;
}

function activate(log: LogFile): void {
  active.add(log);
  if (watchesExit) return;
  watchesExit = true;
  process.on('exit', flushAll);
  if (isMainThread) for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) flushBefore(signal);
}

function flushAll(): void {
  for (const log of active) log.flush();
}

/** A signal that nobody handles ends the process without an `exit` event. */
function flushBefore(signal: NodeJS.Signals): void {
  process.prependOnceListener(signal, () => {
    flushAll();
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  });
}
