import path from 'node:path';
import { inspectApp } from '../../cluster/index.js';
import { parseArguments } from '../arguments.js';

const USAGE = `clutch types [directory]

Writes typings/clutch.d.ts: types of services, controllers, config, extends and middleware.`;

/** Writes the types of an app. */
export async function run(args: string[]): Promise<void> {
  const { values, directory } = parseArguments(args, { help: { type: 'boolean', short: 'h' } }, USAGE);
  if (values['help']) return console.log(USAGE);
  const { file, changed } = await writeTypes(directory);
  console.log(`${path.relative(process.cwd(), file)} ${changed ? 'written' : 'is up to date'}`);
}

export async function writeTypes(baseDir: string): Promise<{ file: string; changed: boolean }> {
  return (await inspectApp({ baseDir, topic: 'types' })) as { file: string; changed: boolean };
}
