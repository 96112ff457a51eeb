import path from 'node:path';
import { type InspectOptions, inspectApp } from '../cluster/index.js';
import { ClutchError } from '../errors.js';
import { parseArguments } from './arguments.js';
import { typeScriptExecArgv } from './typescript.js';

const OPTIONS = {
  env: { type: 'string' },
  json: { type: 'boolean' },
  base: { type: 'string' },
  framework: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

const FLAGS = `  --env <env>          as if the server env were this one
  --json               the data, for programs
  --base <dir>         the app; default the current directory
  --framework <name>   default egg.framework of package.json, else Clutch`;

export interface Report<Row> {
  topic: Exclude<InspectOptions['topic'], 'types'>;
  /** What may be given after the command, for the usage text. */
  argument?: string;
  print(rows: Row[], baseDir: string): string;
}

/** Runs one of the commands that tell what an app is made of; no server is started. */
export async function runReport<Row>(args: string[], { topic, argument, print }: Report<Row>): Promise<void> {
  const usage = `clutch ${topic}${argument ? ` [${argument}]` : ''} [options]\n\n${FLAGS}`;
  const { values, given } = parseArguments(args, OPTIONS, usage);
  if (values['help']) return console.log(usage);
  if (given !== undefined && !argument) {
    throw new ClutchError('ERR_CLUTCH_CLI', `unexpected "${given}"`, { fix: `Usage: ${usage}` });
  }
  const baseDir = path.resolve((values['base'] as string | undefined) ?? '.');
  if (values['env']) process.env['EGG_SERVER_ENV'] = values['env'] as string;
  const rows = (await inspectApp({
    baseDir,
    topic,
    key: given,
    framework: values['framework'] as string | undefined,
    execArgv: typeScriptExecArgv(baseDir),
  })) as Row[];
  if (rows.length === 0 && given !== undefined) {
    throw new ClutchError('ERR_CLUTCH_CLI', `there is no config key "${given}"`, {
      where: `in ${baseDir}`,
      fix: '`clutch config` without a key prints all.',
    });
  }
  console.log(values['json'] ? JSON.stringify(rows, null, 2) : print(rows, baseDir));
}

/** @returns a file as a reader of this app knows it */
export function shortPath(file: string | undefined, baseDir: string): string {
  if (!file) return '';
  const relative = path.relative(baseDir, file);
  return relative.startsWith(`..${path.sep}..`) || file.startsWith('<') ? file : relative;
}

/** Columns as wide as their widest cell. */
export function table(rows: string[][]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
