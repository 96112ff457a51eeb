import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ClutchError } from '../errors.js';

export interface FrameworkLocation {
  name: string;
  dir: string;
  /** A URL that `import()` takes. */
  entry: string;
}

/**
 * Finds the framework package of an app.
 *
 * @param options.framework a package name or an absolute directory; default `egg.framework` of package.json
 * @returns undefined when none is named: Clutch itself is the framework then
 * @throws {ClutchError} ERR_CLUTCH_FRAMEWORK listing where was looked, ERR_CLUTCH_PACKAGE
 */
export function resolveFramework(options: { baseDir: string; framework?: string }): FrameworkLocation | undefined {
  const named = options.framework ?? frameworkOfPackage(options.baseDir);
  if (named === undefined) return undefined;
  const dir = path.isAbsolute(named) ? existing(named) : lookUp(named, options.baseDir);
  return { name: named, dir, entry: entryOf(dir) };
}

function frameworkOfPackage(baseDir: string): string | undefined {
  const file = path.join(baseDir, 'package.json');
  if (!existsSync(file)) {
    throw new ClutchError('ERR_CLUTCH_PACKAGE', `${file} should exist`, {
      fix: 'Give the directory of an app as baseDir.',
    });
  }
  try {
    return JSON.parse(readFileSync(file, 'utf8'))?.egg?.framework;
  } catch (cause) {
    throw new ClutchError('ERR_CLUTCH_PACKAGE', `${file} is not valid JSON`, {
      where: String(cause),
      fix: 'Repair it.',
      cause,
    });
  }
}

function existing(dir: string): string {
  if (existsSync(dir)) return dir;
  throw new ClutchError('ERR_CLUTCH_FRAMEWORK', `${dir} should exist`, {
    where: 'option framework',
    fix: 'Correct the path.',
  });
}

function lookUp(name: string, baseDir: string): string {
  const dirs = [...new Set([baseDir, process.cwd()])].map((dir) => path.join(dir, 'node_modules'));
  const found = dirs.map((dir) => path.join(dir, name)).find((dir) => existsSync(dir));
  if (found) return found;
  const require = createRequire(path.join(baseDir, 'package.json'));
  for (const dir of require.resolve.paths(name) ?? []) {
    if (existsSync(path.join(dir, name, 'package.json'))) return path.join(dir, name);
  }
  throw new ClutchError('ERR_CLUTCH_FRAMEWORK', `${name} is not found in ${dirs.join(',')}`, {
    where: 'option framework, or egg.framework of package.json',
    fix: `Install it: npm install ${name}`,
  });
}

function entryOf(dir: string): string {
  return pathToFileURL(createRequire(path.join(dir, 'package.json')).resolve(dir)).href;
}
