import { askMaster } from '../../../cluster/index.js';
import { defineCommand } from '../../command.js';

export const command = defineCommand({
  description: `Agent and app workers are replaced one after the other; no request fails. When the new code does not start, the old
processes stay and the command ends with the error.`,
  examples: { reload: 'after new code has been copied over the old' },
  async run({ directory }) {
    await askMaster(directory, { command: 'reload' });
    console.log('reloaded');
  },
});
