import { createRequire } from 'node:module';
import path from 'node:path';
import { ClutchError } from '../../../../errors.js';

/**
 * Loads a client that the app has installed: an optional peer dependency.
 *
 * @throws {ClutchError} ERR_CLUTCH_FLEET if it is not installed
 */
export function loadClient<T>(name: string, { baseDir, adapter }: { baseDir: string; adapter: string }): T {
  for (const from of [path.join(baseDir, 'package.json'), import.meta.url]) {
    const require = createRequire(from);
    let file: string;
    try {
      file = require.resolve(name);
    } catch {
      continue;
    }
    return require(file) as T;
  }
  throw new ClutchError('ERR_CLUTCH_FLEET', `the package ${name} is not installed`, {
    where: `config.fleet.adapter is "${adapter}"`,
    fix: `Run \`npm install ${name}\`.`,
  });
}
