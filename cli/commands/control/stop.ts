import { defineCommand } from '../../command.js';
import { stopApp } from '../../process/stop.js';

export const command = defineCommand({
  description: 'Returns when the Master and all its processes are gone. It is no error when none runs.',
  options: { timeout: { argument: 'ms', help: 'when the Master is killed if it has not ended; default 15000' } },
  examples: { stop: 'the app here', 'stop --timeout 60000': 'with a minute for requests in flight' },
  async run({ directory, options: { timeout } }) {
    const pid = await stopApp(directory, timeout === undefined ? undefined : Number(timeout));
    if (pid === undefined) console.warn(`no app of Clutch is running in ${directory}`);
    else console.log(`stopped, pid ${pid}`);
  },
});
