import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { ClutchError, toError } from '../errors.js';

/** The fields of a package.json that Clutch reads. */
export interface PackageJson {
  name?: string;
  version?: string;
  type?: string;
  egg?: { framework?: string; typescript?: boolean };
  eggPlugin?: Record<string, unknown>;
  [key: string]: unknown;
}

/** @throws {ClutchError} ERR_CLUTCH_PACKAGE when the file is missing, is not valid JSON or does not hold an object */
export function readPackage(dir: string): PackageJson {
  const pkg = readPackageIfExists(dir);
  if (pkg) return pkg;
  throw new ClutchError('ERR_CLUTCH_PACKAGE', `${path.join(dir, 'package.json')} should exist`, {
    fix: 'Every app has a package.json with a name; or name another directory.',
  });
}

/**
 * @returns undefined if `dir` has no package.json
 * @throws {ClutchError} ERR_CLUTCH_PACKAGE when it is not valid JSON or does not hold an object
 */
export function readPackageIfExists(dir: string): PackageJson | undefined {
  const file = path.join(dir, 'package.json');
  let pkg: unknown;
  try {
    pkg = JSON.parse(readFileSync(file, 'utf8'));
  } catch (thrown) {
    const cause = toError(thrown) as NodeJS.ErrnoException;
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return undefined;
    const what = cause instanceof SyntaxError ? 'is not valid JSON' : 'cannot be read';
    throw new ClutchError('ERR_CLUTCH_PACKAGE', `${file} ${what}`, {
      where: cause.message,
      fix: 'Repair the file, or install its package again.',
      cause,
    });
  }
  if (typeof pkg === 'object' && pkg !== null && !Array.isArray(pkg)) return pkg as PackageJson;
  throw new ClutchError('ERR_CLUTCH_PACKAGE', `${file} does not hold an object`, { fix: 'Repair the file.' });
}

/**
 * Finds a package as Node does, in `node_modules` of each directory and of those above it. A directory above that is itself a
 * `node_modules` is searched too: there pnpm puts the dependencies of a framework. It works also if the package's
 * `exports` hide its package.json.
 *
 * @param dirs where the search starts, in this order
 * @returns the package's directory, or undefined
 */
export function findPackage(name: string, dirs: string[]): string | undefined {
  const isPackage = (dir: string): boolean => existsSync(path.join(dir, 'package.json'));
  for (const start of dirs) {
    for (let dir = path.resolve(start); ; dir = path.dirname(dir)) {
      const modules = path.basename(dir) === 'node_modules' ? dir : path.join(dir, 'node_modules');
      const found = path.join(modules, name);
      if (isPackage(found)) return found;
      if (path.dirname(dir) === dir) break;
    }
  }
  return undefined;
}

/** @throws {ClutchError} ERR_CLUTCH_NOT_FOUND unless `dir` is a directory; ERR_CLUTCH_PACKAGE if its packages are in Yarn's Plug'n'Play */
export function assertAppDirectory(dir: string, role: string): void {
  const stat = statSync(dir, { throwIfNoEntry: false });
  if (stat?.isDirectory()) {
    assertNodeModules(dir);
    return;
  }
  throw new ClutchError('ERR_CLUTCH_NOT_FOUND', `Directory ${dir} ${stat ? 'is not a directory' : 'does not exist'}`, {
    where: `used as ${role}`,
    fix: 'Name a directory that exists.',
  });
}

/** Plugins are directories of files that the loader lists: with Plug'n'Play, packages are archives, and there is no node_modules. */
function assertNodeModules(app: string): void {
  const file = pnpFile(app);
  if (file === undefined && process.versions['pnp'] === undefined) return;
  throw new ClutchError('ERR_CLUTCH_PACKAGE', "Yarn's Plug'n'Play is not supported: the loader needs node_modules", {
    where: file ?? 'process.versions.pnp: this process was started by Yarn',
    fix: 'Write "nodeLinker: node-modules" in .yarnrc.yml (Yarn 1: no "installConfig.pnp" in package.json), then yarn install.',
  });
}

/** @returns the file that Yarn has written in place of node_modules, beside the app or above it */
function pnpFile(app: string): string | undefined {
  for (let dir = path.resolve(app); ; dir = path.dirname(dir)) {
    if (existsSync(path.join(dir, 'node_modules'))) return undefined;
    const file = ['.pnp.cjs', '.pnp.js'].map((name) => path.join(dir, name)).find((each) => existsSync(each));
    if (file || path.dirname(dir) === dir) return file;
  }
}
