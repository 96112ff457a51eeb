import { readdirSync } from 'node:fs';
import path from 'node:path';
import { readPackageIfExists } from '../../../resolve/package.js';

/** Directories that hold packages, compiled copies, other apps of tests, or nothing that is written by hand. */
const SKIPPED = new Set(['node_modules', 'dist', 'test', 'coverage', 'logs', 'run', 'typings']);

/**
 * Finds the plugins that an app declares with `path`, without reading `config/plugin`, which would run code of the app.
 *
 * @returns directories below the app whose package.json has `eggPlugin`, relative with `/`, sorted
 */
export function localPlugins(baseDir: string, below = ''): string[] {
  const entries = readdirSync(path.join(baseDir, below), { withFileTypes: true });
  const found = entries.flatMap((entry) => {
    if (!entry.isDirectory() || entry.name.startsWith('.') || SKIPPED.has(entry.name)) return [];
    const dir = path.posix.join(below, entry.name);
    return isPlugin(path.join(baseDir, dir)) ? [dir] : localPlugins(baseDir, dir);
  });
  return found.sort();
}

function isPlugin(dir: string): boolean {
  const { eggPlugin } = readPackageIfExists(dir) ?? {};
  return typeof eggPlugin === 'object' && eggPlugin !== null;
}
