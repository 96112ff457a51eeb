import { isMainThread } from 'node:worker_threads';
import { stderr } from '../../../output/stdio.js';
import { LogFile, notice } from './log_file.js';

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
/** Files that were closed and may have lost lines that nobody has reported. */
const closed = new Set<LogFile>();
let watchesExit = false;

/** @returns the file at an absolute path; to be given back with `closeLogFile` */
export function openLogFile(file: string, encoding: string): LogFile {
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
  log.close();
  active.delete(log);
  closed.add(log);
  lostBefore += log.lostLines;
}

/** Prints once how many lines the files that were closed have lost. */
export function reportLostLines(): void {
  let lost = 0;
  let lastReason = '';
  for (const log of closed) {
    const { lines, reason } = log.takeLoss();
    lost += lines;
    if (lines > 0) lastReason = reason;
  }
  closed.clear();
  if (lost > 0)
    stderr().write(notice(`${lost === 1 ? '1 log line was' : `${lost} log lines were`} lost: ${lastReason}`));
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
  process.on('exit', closeAll);
  if (isMainThread) for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) flushBefore(signal);
}

function flushAll(): void {
  for (const log of active) log.flush();
}

/** The process ends: what cannot be written now is lost. */
function closeAll(): void {
  for (const log of active) {
    log.close();
    closed.add(log);
  }
  reportLostLines();
}

/** A signal that nobody handles ends the process without an `exit` event. */
function flushBefore(signal: NodeJS.Signals): void {
  process.prependOnceListener(signal, () => {
    flushAll();
    if (process.listenerCount(signal) > 0) return;
    closeAll();
    process.kill(process.pid, signal);
  });
}
