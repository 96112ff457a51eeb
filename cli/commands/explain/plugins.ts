import path from 'node:path';
import { shortPath } from '../../../resolve/short_path.js';
import { defineCommand } from '../../command.js';
import { packageRoot } from '../../package_root.js';
import { table } from '../../terminal/table.js';
import { EXPLAIN_OPTIONS, explain } from './explain.js';

interface PluginRow {
  name: string;
  enable: boolean;
  reason: string;
  order?: number;
  path?: string;
}

export const command = defineCommand({
  options: EXPLAIN_OPTIONS,
  examples: { plugins: 'in load order', 'plugins --env prod --json': 'what production would have, for programs' },
  run: (input) => explain<PluginRow>('plugins', input),
  print: (rows, { directory }) =>
    table([
      ['#', 'plugin', 'from', 'why'],
      ...rows.map(({ name, order, path: from, reason }) => [
        String(order ?? '-'),
        name,
        shortPath(from, directory),
        reason.replaceAll(`${directory}/`, '').replaceAll(path.join(packageRoot(), 'dist'), 'koa-clutch'),
      ]),
    ]),
});
