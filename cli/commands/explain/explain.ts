import { type InspectOptions, inspectApp } from '../../../cluster/index.js';
import type { CommandInput } from '../../command.js';
import { typeScriptExecArgv } from '../../process/typescript.js';

export const EXPLAIN_OPTIONS = {
  env: { argument: 'env', help: 'as if the server env were this one' },
  framework: { argument: 'name', help: 'default: egg.framework of package.json, else Clutch' },
} as const;

/** @returns what an app is made of; it is loaded in a process of its own, and no server is started */
export async function explain<Row>(
  topic: InspectOptions['topic'],
  { directory, options }: Pick<CommandInput<typeof EXPLAIN_OPTIONS>, 'directory' | 'options'>,
  key?: string,
): Promise<Row[]> {
  if (options.env) process.env['EGG_SERVER_ENV'] = options.env;
  return (await inspectApp({
    baseDir: directory,
    topic,
    key,
    framework: options.framework,
    execArgv: typeScriptExecArgv(directory),
  })) as Row[];
}
