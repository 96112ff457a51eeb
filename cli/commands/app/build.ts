import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { ClutchError } from '../../../errors.js';
import { defineCommand } from '../../command.js';
import { runNode } from '../../process/run_node.js';
import { writeTypes } from './types.js';

export const command = defineCommand({
  description:
    "Writes the types, then compiles with the app's own TypeScript as its tsconfig.json says. A JavaScript app has nothing to build.",
  examples: { build: 'before `clutch start`' },
  async run({ directory }) {
    if (!existsSync(path.join(directory, 'tsconfig.json'))) {
      console.log('nothing to build: there is no tsconfig.json');
      return;
    }
    await writeTypes(directory);
    process.exitCode = await runNode([compilerOf(directory), '-p', '.'], { cwd: directory });
    if (process.exitCode === 0) console.log('built');
  },
});

/** @throws {ClutchError} ERR_CLUTCH_NOT_FOUND when the app has no TypeScript installed */
function compilerOf(directory: string): string {
  try {
    const pkg = createRequire(path.join(directory, 'package.json')).resolve('typescript/package.json');
    return path.join(path.dirname(pkg), 'bin/tsc');
  } catch {
    throw new ClutchError('ERR_CLUTCH_NOT_FOUND', 'TypeScript is not installed', {
      where: directory,
      fix: 'npm install --save-dev typescript',
    });
  }
}
