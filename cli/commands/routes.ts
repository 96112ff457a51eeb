import { runReport, shortPath, table } from '../report.js';

interface RouteRow {
  methods: string[];
  path: string;
  name?: string;
  controller?: string;
}

/** Prints routes in the order in which they match. */
export function run(args: string[]): Promise<void> {
  return runReport<RouteRow>(args, {
    topic: 'routes',
    print: (rows, baseDir) =>
      table([
        ['methods', 'path', 'name', 'controller'],
        ...rows.map(({ methods, path, name, controller }) => [
          methods.join(','),
          path,
          name ?? '',
          shortPath(controller, baseDir),
        ]),
      ]),
  });
}
