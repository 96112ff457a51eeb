import { createRequire } from 'node:module';
import path from 'node:path';
import { registerModules } from '../../loader/index.js';
import { FRAMEWORK_DIR } from './framework_dir.js';

const require = createRequire(import.meta.url);

/** The convention files of the framework and its plugins: the build keeps those of one kind of process in one file. */
export function loadBuiltIn(kind: 'app' | 'agent'): void {
  const root = path.dirname(FRAMEWORK_DIR);
  const { default: modules } = require(`../../built_in/${kind}.js`) as { default: Record<string, unknown> };
  registerModules(Object.entries(modules).map(([name, exported]) => [path.join(root, name), exported]));
}
