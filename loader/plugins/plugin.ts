import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ClutchError } from '../../errors.js';
import { type AppInfo, typeFiles } from '../app_info.js';
import { findPackage, loadIfExists } from '../files/module_loader.js';
import { orderPlugins, type PluginNode } from './plugin_order.js';

/** One plugin as `config/plugin` may declare it. */
export interface PluginDeclaration {
  enable?: boolean;
  /** A directory; beats `package`. */
  path?: string;
  /** A package name; the key when absent. */
  package?: string;
  /** Server envs in which the plugin may be on; all when empty. */
  env?: string[];
  dependencies?: string[];
  optionalDependencies?: string[];
}

export type PluginDeclarations = Record<string, boolean | PluginDeclaration>;

export interface Plugin extends PluginNode {
  path?: string;
  package?: string;
  env: string[];
  version?: string;
  implicitEnable?: boolean;
  /** Names of plugins that need this one. */
  dependents?: string[];
  /** Each file that said something of the plugin, in merge order. */
  history: { from: string; enable: boolean }[];
  /** Why a plugin that was declared on is off. */
  disabledBecause?: string;
}

export interface PluginSources {
  appInfo: AppInfo;
  /** Framework directories, base first. */
  eggPaths: string[];
  /** `options.plugins`, merged last. */
  custom?: PluginDeclarations;
  warn(message: string): void;
}

export interface LoadedPlugins {
  all: Record<string, Plugin>;
  ordered: Plugin[];
  eggPlugins: Record<string, Plugin>;
  appPlugins: Record<string, Plugin>;
  customPlugins: Record<string, Plugin>;
  lookupDirs: string[];
}

/**
 * Reads, merges, resolves and orders the plugins of an app.
 *
 * @throws {ClutchError} ERR_CLUTCH_PLUGIN_* as `orderPlugins` and the single steps do
 */
export function loadPlugins(sources: PluginSources): LoadedPlugins {
  const { appInfo, eggPaths, warn } = sources;
  const eggPlugins = mergeDeclared(
    eggPaths.flatMap((dir) => readDeclarations(dir, appInfo)),
    warn,
  );
  const appPlugins = mergeDeclared(readDeclarations(appInfo.baseDir, appInfo), warn);
  const customPlugins = mergeDeclared(customDeclarations(sources.custom, warn), warn);

  const all: Record<string, Plugin> = {};
  for (const group of [eggPlugins, appPlugins, customPlugins]) {
    for (const plugin of Object.values(group)) mergePlugin(all, plugin, warn);
  }
  const lookupDirs = [...new Set([appInfo.baseDir, ...eggPaths.toReversed(), process.cwd()])];
  for (const plugin of Object.values(all)) {
    plugin.path = resolvePluginPath(plugin, lookupDirs);
    applyPackage(plugin, warn);
  }
  const candidates: Record<string, Plugin> = {};
  for (const plugin of Object.values(all)) {
    if (plugin.env.length > 0 && !plugin.env.includes(appInfo.env)) {
      if (plugin.enable) plugin.disabledBecause = `its env [${plugin.env.join(', ')}] does not hold "${appInfo.env}"`;
      plugin.enable = false;
    } else {
      candidates[plugin.name] = plugin;
    }
  }
  return { all, ordered: applyOrder(candidates, appPlugins, warn), eggPlugins, appPlugins, customPlugins, lookupDirs };
}

function applyOrder(
  candidates: Record<string, Plugin>,
  app: Record<string, Plugin>,
  warn: PluginSources['warn'],
): Plugin[] {
  const { names, implicit } = orderPlugins(candidates);
  for (const { name, neededBy } of implicit) {
    const plugin = candidates[name] as Plugin;
    plugin.enable = true;
    plugin.implicitEnable = true;
    if (app[name]?.enable === false) {
      warn(`plugin "${name}" is off in ${app[name].from} but is on because "${neededBy}" needs it`);
    }
  }
  const ordered = names.map((name) => candidates[name] as Plugin);
  for (const plugin of ordered) {
    for (const dependency of plugin.dependencies) {
      const needed = candidates[dependency] as Plugin;
      needed.dependents = [...(needed.dependents ?? []), plugin.name];
    }
  }
  return ordered;
}

interface Declared {
  from: string;
  plugins: PluginDeclarations;
}

function readDeclarations(dir: string, appInfo: AppInfo): Declared[] {
  return typeFiles('plugin', appInfo).flatMap((name) => {
    const loaded =
      loadIfExists(path.join(dir, 'config', name)) ??
      (name === 'plugin.default' ? loadIfExists(path.join(dir, 'config/plugin')) : null);
    if (!loaded || typeof loaded.exports !== 'object' || loaded.exports === null) return [];
    return [{ from: loaded.file, plugins: loaded.exports as PluginDeclarations }];
  });
}

function customDeclarations(custom: PluginDeclarations | undefined, warn: PluginSources['warn']): Declared[] {
  let fromEnv: PluginDeclarations = {};
  const json = process.env['EGG_PLUGINS'];
  if (json) {
    try {
      fromEnv = JSON.parse(json) as PluginDeclarations;
    } catch (error) {
      warn(`EGG_PLUGINS is not valid JSON and is ignored: ${(error as Error).message}`);
    }
  }
  const declared: Declared[] = [];
  const kept = Object.entries(fromEnv).filter(([name]) => !(custom && Object.hasOwn(custom, name)));
  if (kept.length > 0) declared.push({ from: '<process.env.EGG_PLUGINS>', plugins: Object.fromEntries(kept) });
  if (custom) declared.push({ from: '<options.plugins>', plugins: custom });
  return declared;
}

function mergeDeclared(declared: Declared[], warn: PluginSources['warn']): Record<string, Plugin> {
  const merged: Record<string, Plugin> = {};
  for (const { from, plugins } of declared) {
    for (const [name, declaration] of Object.entries(plugins)) {
      if (name !== '__proto__') mergePlugin(merged, normalize(name, declaration, from), warn);
    }
  }
  return merged;
}

function normalize(name: string, declaration: boolean | PluginDeclaration, from: string): Plugin {
  const plugin: Plugin = {
    name,
    enable: true,
    dependencies: [],
    optionalDependencies: [],
    env: [],
    from,
    history: [],
  };
  if (typeof declaration === 'boolean') {
    plugin.enable = declaration;
  } else if (typeof declaration === 'object' && declaration !== null) {
    const { dep, ...fields } = declaration as PluginDeclaration & { dep?: string[] };
    for (const [key, value] of Object.entries(fields)) {
      if (value !== undefined && key !== 'name') Object.assign(plugin, { [key]: value });
    }
    if (dep && plugin.dependencies.length === 0) plugin.dependencies = dep;
  } else {
    throw new ClutchError('ERR_CLUTCH_PLUGIN_CONFIG', `plugin "${name}" is declared as ${String(declaration)}`, {
      where: from,
      fix: 'Use true, false or an object with enable, package or path.',
    });
  }
  if (plugin.package !== undefined && /^[./]|:/.test(plugin.package)) {
    throw new ClutchError('ERR_CLUTCH_PLUGIN_CONFIG', `plugin "${name}" has "${plugin.package}" as package`, {
      where: from,
      fix: 'A package is a name in node_modules; use path for a directory.',
    });
  }
  plugin.history = [{ from, enable: plugin.enable }];
  return plugin;
}

function mergePlugin(target: Record<string, Plugin>, plugin: Plugin, warn: PluginSources['warn']): void {
  const existing = target[plugin.name];
  if (!existing) {
    target[plugin.name] = { ...plugin, history: [...plugin.history] };
    return;
  }
  if (existing.package && existing.package === plugin.package) {
    warn(`plugin "${plugin.name}" is declared with package "${plugin.package}" in ${existing.from} and ${plugin.from}`);
  }
  if (plugin.path || plugin.package) {
    delete existing.path;
    delete existing.package;
  }
  for (const [key, value] of Object.entries(plugin)) {
    if (value === undefined || key === 'history' || (Array.isArray(value) && value.length === 0)) continue;
    Object.assign(existing, { [key]: value });
  }
  existing.history.push(...plugin.history);
}

function resolvePluginPath(plugin: Plugin, lookupDirs: string[]): string {
  if (plugin.path) return plugin.path;
  const name = plugin.package || plugin.name;
  const found = findPackage(name, lookupDirs) ?? siblingPackage(name, lookupDirs);
  if (found) return found;
  throw new ClutchError('ERR_CLUTCH_PLUGIN_NOT_FOUND', `Can not find plugin ${name} in "${lookupDirs.join(', ')}"`, {
    where: `declared as "${plugin.name}" in ${plugin.from}`,
    fix: `Install it (npm install ${name}), give its directory as path, or remove the entry.`,
  });
}

/** pnpm keeps the dependencies of a framework beside it, in the node_modules directory that holds the framework. */
function siblingPackage(name: string, dirs: string[]): string | undefined {
  return dirs.map((dir) => path.join(dir, '..', name)).find((dir) => existsSync(path.join(dir, 'package.json')));
}

function applyPackage(plugin: Plugin, warn: PluginSources['warn']): void {
  const file = path.join(plugin.path as string, 'package.json');
  if (!existsSync(file)) {
    warn(`plugin "${plugin.name}" has no package.json at ${file}`);
    return;
  }
  let pkg: { version?: string; eggPlugin?: Record<string, unknown> };
  try {
    pkg = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new ClutchError('ERR_CLUTCH_PACKAGE', `${file} is not valid JSON`, {
      fix: 'Repair or reinstall the plugin.',
      cause,
    });
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
  const lists = { ...meta, dependencies: meta['dependencies'] ?? meta['dep'] } as Record<string, unknown>;
  for (const key of ['dependencies', 'optionalDependencies', 'env'] as const) {
    const value = lists[key];
    if (plugin[key].length === 0 && Array.isArray(value)) plugin[key] = value as string[];
  }
  relocate(plugin, meta['exports'] as Record<string, string> | undefined);
}

/** Takes over Egg 4's `eggPlugin.exports`, which names the sub-directory that holds the built files. */
function relocate(plugin: Plugin, exports: Record<string, string> | undefined): void {
  const sub = exports?.['require'] ?? exports?.['import'];
  if (!sub) return;
  const root = plugin.path as string;
  const dir = path.resolve(root, sub);
  if (dir !== root && !dir.startsWith(root + path.sep)) {
    throw new ClutchError(
      'ERR_CLUTCH_PLUGIN_CONFIG',
      `eggPlugin.exports of "${plugin.name}" leads out of its package`,
      {
        where: `${sub} in ${path.join(root, 'package.json')}`,
        fix: 'Name a directory inside the package.',
      },
    );
  }
  if (existsSync(dir)) plugin.path = dir;
}
