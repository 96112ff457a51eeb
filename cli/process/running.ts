import { readFileSync } from 'node:fs';
import path from 'node:path';
import { askMaster, type ClusterStatus } from '../../cluster/index.js';
import type { ClutchError } from '../../errors.js';

/** Where the Master of an app writes its pid. */
export function pidFileOf(baseDir: string): string {
  return path.join(baseDir, 'run', 'clutch.pid');
}

/** Milliseconds that a Master gets to say its pid. */
const REPLY_LIMIT = 2000;

/**
 * The pid of a stale file may have been given to another program since: the Master says its own through the control socket. One
 * that has the socket open and does not reply is blocked; then the file is believed.
 *
 * @returns the pid of the app's Master, or undefined when none runs
 */
export async function runningMaster(baseDir: string): Promise<number | undefined> {
  const pid = pidInFile(baseDir);
  if (pid === undefined || !isAlive(pid)) return undefined;
  return (await askPidFor(REPLY_LIMIT, baseDir, pid)) === pid ? pid : undefined;
}

/**
 * Commands reach only the Master that has the control socket: that of `clutch start`, of `clutch dev`, or of a program.
 *
 * @returns its pid, or undefined when there is none or it does not reply
 */
export function reachableMaster(baseDir: string): Promise<number | undefined> {
  return askPidFor(REPLY_LIMIT, baseDir, undefined);
}

async function askPidFor<T>(milliseconds: number, baseDir: string, otherwise: T): Promise<number | T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), milliseconds);
  });
  try {
    return await Promise.race([askPid(baseDir), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** @returns what the pid file says, whether that process is alive or not */
export function pidInFile(baseDir: string): number | undefined {
  try {
    const pid = Number(readFileSync(pidFileOf(baseDir), 'utf8'));
    return Number.isInteger(pid) && pid > 1 ? pid : undefined;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

async function askPid(baseDir: string): Promise<number | undefined> {
  try {
    const { processes } = (await askMaster(baseDir, { command: 'status' })) as ClusterStatus;
    return processes.find(({ kind }) => kind === 'master' || kind === 'single')?.pid;
  } catch (error) {
    if ((error as ClutchError).code === 'ERR_CLUTCH_NOT_RUNNING') return undefined;
    throw error;
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return !isZombie(pid);
}

/** A process that has ended and waits for its parent to notice is not running, e.g. in a container without init. */
function isZombie(pid: number): boolean {
  const stat = readProc(pid, 'stat');
  return stat !== undefined && /\) Z /.test(stat);
}

/** @returns undefined where there is no /proc */
function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
