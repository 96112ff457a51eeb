import { runReport, shortPath, table } from '../report.js';

interface MiddlewareRow {
  name: string;
  enabled: boolean;
  file?: string;
}

/** Prints the middleware of every request, in order; the router comes after them. */
export function run(args: string[]): Promise<void> {
  return runReport<MiddlewareRow>(args, {
    topic: 'middleware',
    print: (rows, baseDir) =>
      table([
        ['#', 'middleware', 'state', 'file'],
        ...rows.map(({ name, enabled, file }, index) => [
          String(index + 1),
          name,
          enabled ? 'on' : 'off',
          shortPath(file, baseDir),
        ]),
      ]),
  });
}
