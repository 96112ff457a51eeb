import { createRequire } from 'node:module';
import path from 'node:path';
import { ClutchError, type ErrorCode } from '../../../../errors.js';

/**
 * Loads a client that the app has installed: an optional peer dependency.
 *
 * @param where the config value that needs it, for the error
 * @throws {ClutchError} with `code` if it is not installed
 */
export function loadClient<T>(
  name: string,
  { baseDir, code, where }: { baseDir: string; code: ErrorCode; where: string },
): T {
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
  throw new ClutchError(code, `the package ${name} is not installed`, {
    where,
    fix: `Run \`npm install ${name}\`.`,
  });
}
