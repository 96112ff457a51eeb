import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ClutchError } from '../errors.js';
import { findPackage, readPackage, readPackageIfExists } from './package.js';

export interface FrameworkLocation {
  name: string;
  /** Of its package.json. */
  version: string | undefined;
  dir: string;
  /** A URL that `import()` takes. */
  entry: string;
}

/**
 * Finds the framework package of an app.
 *
 * @param options.framework a package name or an absolute directory; default `egg.framework` of package.json
 * @returns undefined if none is named: then Clutch itself is the framework
 * @throws {ClutchError} ERR_CLUTCH_FRAMEWORK listing the directories that were searched, ERR_CLUTCH_PACKAGE
 */
export function resolveFramework(options: { baseDir: string; framework?: string }): FrameworkLocation | undefined {
  const named = options.framework ?? readPackage(options.baseDir).egg?.framework;
  if (named === undefined) return undefined;
  const dir = path.isAbsolute(named) ? existing(named) : lookUp(named, options.baseDir);
  return { name: named, version: readPackageIfExists(dir)?.version, dir, entry: entryOf(named, dir) };
}

function existing(dir: string): string {
  if (existsSync(dir)) return dir;
  throw new ClutchError('ERR_CLUTCH_FRAMEWORK', `${dir} should exist`, {
    where: 'option framework',
    fix: 'Correct the path.',
  });
}

function lookUp(name: string, baseDir: string): string {
  const from = [...new Set([baseDir, process.cwd()])];
  const dirs = from.map((dir) => path.join(dir, 'node_modules'));
  // Like Egg, accept a directory without a package.json.
  const found = findPackage(name, from) ?? dirs.map((dir) => path.join(dir, name)).find((dir) => existsSync(dir));
  if (found) return found;
  throw new ClutchError('ERR_CLUTCH_FRAMEWORK', `${name} is not found in ${dirs.join(',')}`, {
    where: 'option framework, or egg.framework of package.json',
    fix: `Install it: npm install ${name}`,
  });
}

function entryOf(name: string, dir: string): string {
  try {
    return pathToFileURL(createRequire(path.join(dir, 'package.json')).resolve(dir)).href;
  } catch (cause) {
    throw new ClutchError('ERR_CLUTCH_FRAMEWORK', `framework ${name} has no entry file`, {
      where: dir,
      fix: 'Build it, or correct "main" in its package.json.',
      cause,
    });
  }
}
