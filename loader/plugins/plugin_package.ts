import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { ClutchError } from '../../errors.js';
import { findPackage, readPackageIfExists } from '../../resolve/package.js';
import type { Plugin } from './plugin_declaration.js';

/**
 * Finds the directory of a plugin.
 *
 * @param lookupDirs directories from which packages are resolved, in this order
 * @throws {ClutchError} ERR_CLUTCH_PLUGIN_NOT_FOUND
 */
export function pluginDirectory(plugin: Plugin, lookupDirs: string[]): string {
  if (plugin.path) return plugin.path;
  const name = plugin.package || plugin.name;
  const found = findPackage(name, lookupDirs);
  // As by require.resolve: a package that is linked into node_modules has one path, whoever looks for it.
  if (found) return realpathSync(found);
  throw new ClutchError('ERR_CLUTCH_PLUGIN_NOT_FOUND', `Can not find plugin ${name} in "${lookupDirs.join(', ')}"`, {
    where: `declared as "${plugin.name}" in ${plugin.from}`,
    fix: `${howToGet(plugin, lookupDirs)}, give its directory as path, or remove the entry.`,
  });
}

/** A plugin is declared by its short name, its package is called differently: Egg's own are `egg-redis`, `egg-mysql` … */
function howToGet({ name, package: given }: Plugin, lookupDirs: string[]): string {
  if (given) return `Install it (npm install ${given})`;
  const usual = `egg-${name}`;
  const declare = `declare ${name}: { enable: true, package: '${usual}' }`;
  if (findPackage(usual, lookupDirs)) return `Its package is ${usual}, which is installed: ${declare}`;
  return `Install its package, such as ${usual}, and ${declare}`;
}

/**
 * Applies `eggPlugin` of a plugin's package.json.
 *
 * @throws {ClutchError} ERR_CLUTCH_PLUGIN_CONFIG, ERR_CLUTCH_PACKAGE
 */
export function applyPackage(plugin: Plugin, root: string, warn: (message: string) => void): void {
  const file = path.join(root, 'package.json');
  const pkg = readPackageIfExists(root);
  if (!pkg) {
    warn(`plugin "${plugin.name}" has no package.json at ${file}`);
    return;
  }
  if (pkg.version) plugin.version = pkg.version;
  const meta = pkg.eggPlugin;
  if (!meta) {
    warn(`plugin "${plugin.name}" has no "eggPlugin" in ${file}`);
    return;
  }
  if (meta['name'] && meta['strict'] !== false && meta['name'] !== plugin.name) {
    warn(`plugin "${plugin.name}" is called "${String(meta['name'])}" in ${file}`);
  }
  const lists: Record<string, unknown> = { ...meta, dependencies: meta['dependencies'] ?? meta['dep'] };
  for (const key of ['dependencies', 'optionalDependencies', 'env'] as const) {
    const value = lists[key];
    if (plugin[key].length === 0 && Array.isArray(value)) plugin[key] = value as string[];
  }
  const { require: built, import: module } = (meta['exports'] ?? {}) as { require?: string; import?: string };
  plugin.path = builtDirectory(plugin.name, root, built ?? module);
}

/** Egg 4's `eggPlugin.exports` names the sub-directory that holds the built files. */
function builtDirectory(name: string, root: string, sub: string | undefined): string {
  if (!sub) return root;
  const dir = path.resolve(root, sub);
  if (dir !== root && !dir.startsWith(root + path.sep)) {
    throw new ClutchError('ERR_CLUTCH_PLUGIN_CONFIG', `eggPlugin.exports of "${name}" leads out of its package`, {
      where: `${sub} in ${path.join(root, 'package.json')}`,
      fix: 'Name a directory inside the package.',
    });
  }
  return existsSync(dir) ? dir : root;
}
