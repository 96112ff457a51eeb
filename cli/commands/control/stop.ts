import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { askMaster } from '../../../cluster/index.js';
import type { ClutchError } from '../../../errors.js';
import { defineCommand } from '../../command.js';
import { isAlive, pidFileOf, runningMaster } from '../../process/running.js';

export const command = defineCommand({
  description: 'Returns when the Master and all its processes are gone. It is no error when none runs.',
  options: { timeout: { argument: 'ms', help: 'when the Master is killed if it has not ended; default 15000' } },
  examples: { stop: 'the app here', 'stop --timeout 60000': 'with a minute for requests in flight' },
  async run({ directory, options }) {
    const pid = await askToStop(directory);
    if (pid === undefined) {
      console.warn(`no app of Clutch is running in ${directory}`);
      rmSync(pidFileOf(directory), { force: true });
      return;
    }
    const deadline = Date.now() + Number(options.timeout ?? 15_000);
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
  },
});

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
