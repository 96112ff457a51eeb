import path from 'node:path';
import { askMaster, type EnvironmentChange } from '../../../cluster/index.js';
import { defineCommand } from '../../command.js';
import { usageError } from '../../usage_error.js';

const SIGN = { added: '+', changed: '~', removed: '-' } as const;

export const command = defineCommand({
  description: `Agent and app workers are replaced one after the other; no request fails. When the new code does not start, the old
processes stay and the command ends with the error.`,
  options: {
    'env-file': {
      argument: 'file',
      help: 'variables (NAME=value) for the new processes, in place of those of the last file',
    },
    'dry-run': { help: 'with --env-file: only show which variables change' },
  },
  examples: {
    reload: 'after new code has been copied over the old',
    'reload --env-file .env.prod': 'with another environment; shows the names that change first',
  },
  async run({ directory, options }) {
    const file = options['env-file'];
    if (options['dry-run'] && file === undefined)
      throw usageError('option --dry-run needs --env-file: only variables have a difference');
    const envFile = file === undefined ? undefined : path.resolve(String(file));
    if (envFile !== undefined) {
      const changes = (await askMaster(directory, { command: 'environment', file: envFile })) as EnvironmentChange[];
      for (const { name, change } of changes) console.log(`${SIGN[change]} ${name}=***`);
      if (changes.length === 0) console.log('no variable changes');
      if (options['dry-run']) return;
    }
    await askMaster(directory, { command: 'reload', ...(envFile === undefined ? {} : { envFile }) });
    console.log('reloaded');
  },
});
