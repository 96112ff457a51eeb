import { askMaster } from '../../../cluster/index.js';
import { defineCommand } from '../../command.js';
import { usageError } from '../../usage_error.js';

export const command = defineCommand({
  description: 'Returns when the new workers take requests.',
  arguments: [{ name: 'count', help: 'app workers, 1 to 1024' }],
  examples: { 'workers 4': 'scale the app here to four workers' },
  async run({ directory, args: [count] }) {
    if (!/^\d+$/.test(count ?? '')) throw usageError(`the number of workers is ${count}`);
    await askMaster(directory, { command: 'workers', count: Number(count) });
    console.log(`there are ${count} app workers now`);
  },
});
