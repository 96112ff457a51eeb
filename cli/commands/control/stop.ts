import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { askMaster } from '../../../cluster/index.js';
import type { ClutchError } from '../../../errors.js';
import { parseArguments } from '../../arguments.js';
import { isAlive, pidFileOf, runningMaster } from '../../running.js';

const USAGE = `clutch stop [directory] [options]

      --timeout <ms>    when the Master is killed if it has not ended; default 15000`;

/** Ends the app that `clutch start` runs in a directory; returns when its Master is gone. */
export async function run(args: string[]): Promise<void> {
  const options = { timeout: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const;
  const { values, directory } = parseArguments(args, options, USAGE);
  if (values['help']) return console.log(USAGE);
  const pid = await askToStop(directory);
  if (pid === undefined) {
    console.warn(`no app of Clutch is running in ${directory}`);
    rmSync(pidFileOf(directory), { force: true });
    return;
  }
  const deadline = Date.now() + Number(values['timeout'] ?? 15_000);
  while (isAlive(pid)) {
    if (Date.now() > deadline) {
      // Its children end by themselves when the Master is gone.
      process.kill(pid, 'SIGKILL');
      console.warn(`pid ${pid} did not end in time and was killed`);
      break;
    }
    await sleep(50);
  }
  console.log(`stopped, pid ${pid}`);
}

/** @returns the pid of the Master that has been asked; one that `clutch start` has not started has no pid file */
async function askToStop(directory: string): Promise<number | undefined> {
  const pid = runningMaster(directory);
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
