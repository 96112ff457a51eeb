import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { askMaster } from '../../cluster/index.js';
import type { ClutchError } from '../../errors.js';
import { isAlive, pidFileOf, runningMaster } from './running.js';

/** Milliseconds. */
const STOP_TIMEOUT = 15_000;

/**
 * Ends the app in a directory; returns when its Master is gone.
 *
 * @param timeout milliseconds after which the Master is killed
 * @returns the pid that it had, undefined when none ran
 */
export async function stopApp(directory: string, timeout = STOP_TIMEOUT): Promise<number | undefined> {
  const pid = await askToStop(directory);
  if (pid === undefined) {
    rmSync(pidFileOf(directory), { force: true });
    return undefined;
  }
  const deadline = Date.now() + timeout;
  while (isAlive(pid)) {
    if (Date.now() > deadline) {
      // Its children end by themselves when the Master is gone.
      process.kill(pid, 'SIGKILL');
      console.warn(`pid ${pid} did not end in time and was killed`);
      break;
    }
    await sleep(50);
  }
  return pid;
}

/** @returns the pid of the Master that has been asked; one that `clutch start` has not started has no pid file */
async function askToStop(directory: string): Promise<number | undefined> {
  const pid = await runningMaster(directory);
  if (pid !== undefined) {
    process.kill(pid, 'SIGTERM');
    return pid;
  }
  try {
    return (await askMaster(directory, { command: 'stop' })) as number;
  } catch (error) {
    if ((error as ClutchError).code === 'ERR_CLUTCH_NOT_RUNNING') return undefined;
    throw error;
  }
}
