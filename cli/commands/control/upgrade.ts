import { askMaster } from '../../../cluster/index.js';
import { defineCommand } from '../../command.js';
import { parseDuration } from '../../flags/duration.js';
import { runningMaster } from '../../process/running.js';

export const command = defineCommand({
  description: `A new Master is started with the command line of the old one, by the Node that runs this command. It takes over the listening
sockets, and the old one drains: the port is never closed. When the new one does not become ready, the old one stays and the
command ends with the error. Ctrl-C ends the new one while it starts.`,
  options: {
    timeout: {
      argument: 'ms',
      help: 'how long the new Master may take to become ready, also 90s or 5m; default: any time',
    },
  },
  examples: {
    upgrade: 'after a new Node, Clutch or app has been installed in the place of the old',
    'upgrade --timeout 60s': 'the old one stays when the new one is not ready within a minute',
  },
  async run({ directory, options: { timeout } }) {
    const limit = timeout === undefined ? {} : { timeout: parseDuration('timeout', timeout, 'ms') };
    const before = await runningMaster(directory);
    const stopProgress = process.stderr.isTTY ? showProgress() : () => undefined;
    process.once('SIGINT', () => {
      stopProgress();
      console.error('cancelled: the new Master ends, and the old one serves on unless it had been replaced already');
      // The Master notices that its client has left.
      process.exit(130);
    });
    const request = { command: 'upgrade', execPath: process.execPath, ...limit } as const;
    const pid = await askMaster(directory, request).finally(stopProgress);
    console.log(before === undefined ? `upgraded, pid ${pid}` : `upgraded, pid ${before} → ${pid}`);
  },
});

/** @returns what removes the line */
function showProgress(): () => void {
  const begin = Date.now();
  const show = (): void => {
    const seconds = Math.round((Date.now() - begin) / 1000);
    process.stderr.write(`\r\x1b[Kthe new Master is starting, ${seconds} s (Ctrl-C cancels)`);
  };
  show();
  const timer = setInterval(show, 1000).unref();
  return () => {
    clearInterval(timer);
    process.stderr.write('\r\x1b[K');
  };
}
