import { defineCommand } from '../../command.js';
import { shortPath } from '../../terminal/table.js';
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
  print: (rows, { directory }) =>
    rows
      .map(({ key, value, sources }) => {
        const from = sources.map(
          (source) => `    ${JSON.stringify(source.value)}  ${shortPath(source.file, directory)}`,
        );
        return [`${key} = ${JSON.stringify(value)}`, ...from].join('\n');
      })
      .join('\n'),
});
