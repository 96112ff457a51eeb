import { shortPath } from '../../../resolve/short_path.js';
import { defineCommand } from '../../command.js';
import { table } from '../../terminal/table.js';
import { EXPLAIN_OPTIONS, explain } from './explain.js';

interface MiddlewareRow {
  name: string;
  enabled: boolean;
  file?: string;
}

export const command = defineCommand({
  description: 'The router comes after them.',
  options: EXPLAIN_OPTIONS,
  examples: { middleware: 'of the app here', 'middleware ../shop --env prod': 'of another app, in production' },
  run: (input) => explain<MiddlewareRow>('middleware', input),
  print: (rows, { directory }) =>
    table([
      ['#', 'middleware', 'state', 'file'],
      ...rows.map(({ name, enabled, file }, index) => [
        String(index + 1),
        name,
        enabled ? 'on' : 'off',
        shortPath(file, directory),
      ]),
    ]),
});
