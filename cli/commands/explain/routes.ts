import { shortPath } from '../../../resolve/short_path.js';
import { defineCommand } from '../../command.js';
import { table } from '../../terminal/table.js';
import { EXPLAIN_OPTIONS, explain } from './explain.js';

interface RouteRow {
  methods: string[];
  path: string;
  name?: string;
  controller?: string;
}

export const command = defineCommand({
  options: EXPLAIN_OPTIONS,
  examples: { routes: 'with the controller of each', 'routes --json': 'for programs' },
  run: (input) => explain<RouteRow>('routes', input),
  print: (rows, { directory }) =>
    table([
      ['methods', 'path', 'name', 'controller'],
      ...rows.map(({ methods, path, name, controller }) => [
        methods.join(','),
        path,
        name ?? '',
        shortPath(controller, directory),
      ]),
    ]),
});
