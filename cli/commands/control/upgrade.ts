import { askMaster } from '../../../cluster/index.js';
import { defineCommand } from '../../command.js';
import { runningMaster } from '../../process/running.js';

export const command = defineCommand({
  description: `A new Master is started with the command line of the old one, by the Node that runs this command. It takes over the listening
sockets, and the old one drains: the port is never closed. When the new one does not become ready, the old one stays and the
command ends with the error.`,
  examples: { upgrade: 'after a new Node, Clutch or app has been installed in the place of the old' },
  async run({ directory }) {
    const before = await runningMaster(directory);
    const pid = await askMaster(directory, { command: 'upgrade', execPath: process.execPath });
    console.log(before === undefined ? `upgraded, pid ${pid}` : `upgraded, pid ${before} → ${pid}`);
  },
});
