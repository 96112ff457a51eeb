import { runReport, shortPath } from '../report.js';

interface ConfigRow {
  key: string;
  value?: unknown;
  sources: { file: string; value?: unknown }[];
}

/** Prints config with the files that set it; the last one won. */
export function run(args: string[]): Promise<void> {
  return runReport<ConfigRow>(args, {
    topic: 'config',
    argument: 'key',
    print: (rows, baseDir) =>
      rows
        .map(({ key, value, sources }) => {
          const from = sources.map(
            (source) => `    ${JSON.stringify(source.value)}  ${shortPath(source.file, baseDir)}`,
          );
          return [`${key} = ${JSON.stringify(value)}`, ...from].join('\n');
        })
        .join('\n'),
  });
}
