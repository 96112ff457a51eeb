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
  const client = loadInstalled<T>(name, baseDir);
  if (client !== undefined) return client;
  throw new ClutchError(code, `the package ${name} is not installed`, {
    where,
    fix: `Run \`npm install ${name}\`.`,
  });
}

/** @returns what a package exports that is installed for the app, or beside Clutch; undefined if it is not */
export function loadInstalled<T>(name: string, baseDir: string): T | undefined {
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
  return undefined;
}
