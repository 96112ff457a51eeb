import path from 'node:path';
import { inspectApp } from '../../../cluster/index.js';
import { defineCommand } from '../../command.js';

export const command = defineCommand({
  description: 'typings/clutch.d.ts has the types of services, controllers, config, extends and middleware.',
  examples: { types: 'of the app here' },
  run: ({ directory }) => writeTypes(directory),
  print: ({ file, changed }) => `${path.relative(process.cwd(), file)} ${changed ? 'written' : 'is up to date'}`,
});

export async function writeTypes(baseDir: string): Promise<{ file: string; changed: boolean }> {
  return (await inspectApp({ baseDir, topic: 'types' })) as { file: string; changed: boolean };
}
