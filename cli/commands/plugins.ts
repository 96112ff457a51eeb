import { runReport, shortPath, table } from '../report.js';

interface PluginRow {
  name: string;
  enable: boolean;
  reason: string;
  order?: number;
  path?: string;
}

/** Prints plugins in load order, with the reason why each is on or off. */
export function run(args: string[]): Promise<void> {
  return runReport<PluginRow>(args, {
    topic: 'plugins',
    print: (rows, baseDir) =>
      table([
        ['#', 'plugin', 'from', 'why'],
        ...rows.map(({ name, order, path, reason }) => [
          String(order ?? '-'),
          name,
          shortPath(path, baseDir),
          reason.replaceAll(`${baseDir}/`, ''),
        ]),
      ]),
  });
}
