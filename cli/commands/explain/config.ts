import { shortPath } from '../../../resolve/short_path.js';
import { defineCommand } from '../../command.js';
import { usageError } from '../../usage_error.js';
import { EXPLAIN_OPTIONS, explain } from './explain.js';

interface ConfigRow {
  key: string;
  value?: unknown;
  sources: { file: string; value?: unknown }[];
}

export const command = defineCommand({
  arguments: [{ name: 'key', help: 'only this key and those below it, e.g. `logger`', optional: true }],
  options: EXPLAIN_OPTIONS,
  examples: {
    'config cluster.listen': 'the values below one key',
    'config --env prod': 'what production would have',
  },
  async run(input) {
    const [key] = input.args;
    const rows = await explain<ConfigRow>('config', input, key);
    if (rows.length === 0 && key !== undefined) {
      throw usageError(`there is no config key "${key}"`, { where: `in ${input.directory}` });
    }
    return rows;
  },
  print: (rows, { directory, args }) =>
    rows
      .map(({ key, value, sources }) => {
        const line = `${key} = ${JSON.stringify(value)}  ${shortPath(sources.at(-1)?.file, directory)}`;
        // Of one key, one wants to know what was overridden.
        const overridden = args[0] === undefined ? [] : sources.slice(0, -1).reverse();
        const rest = overridden.map(
          ({ file, value: old }) => `  over ${JSON.stringify(old)}  ${shortPath(file, directory)}`,
        );
        return [line.trimEnd(), ...rest].join('\n');
      })
      .join('\n'),
});
