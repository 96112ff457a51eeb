import { readFileSync } from 'node:fs';
import path from 'node:path';

/** Where the Master of an app writes its pid. */
export function pidFileOf(baseDir: string): string {
  return path.join(baseDir, 'run', 'clutch.pid');
}

/** @returns the pid of the app's Master, or undefined when none runs; a stale file is not taken for one */
export function runningMaster(baseDir: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(pidFileOf(baseDir), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const pid = Number(text);
  return Number.isInteger(pid) && pid > 1 && isAlive(pid) && isMaster(pid) ? pid : undefined;
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

/** The pid of a stale file may have been given to another program since. */
function isMaster(pid: number): boolean {
  const commandLine = readProc(pid, 'cmdline');
  return commandLine === undefined || commandLine.includes('clutch');
}

/** @returns undefined where there is no /proc */
function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
