import path from 'node:path';
import { ClutchError } from '../../errors.js';
import { loadIfExists } from '../files/module_loader.js';
import type { PluginNode } from './plugin_order.js';

type Warn = (message: string) => void;

/** A plugin as declared in `config/plugin`. */
export interface PluginDeclaration {
  enable?: boolean;
  /** A directory; takes precedence over `package`. */
  path?: string;
  /** A package name; default: the key. */
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
}

/** One file that declared a plugin. */
interface Declaration {
  from: string;
  enable: boolean;
}

/** Kept beside the plugins: `app.plugins` has the fields that Egg's have, and no others. */
const histories = new WeakMap<Plugin, Declaration[]>();

/** @returns each file that declared the plugin, in merge order */
export function declarationsOf(plugin: Plugin): readonly Declaration[] {
  return histories.get(plugin) ?? [];
}

interface Declared {
  from: string;
  plugins: PluginDeclarations;
}

/**
 * Reads the files `names` of `config/` in a directory, such as `plugin.default`. A file that exports a function declares nothing, as in Egg, and is warned about.
 */
export function readDeclarations(dir: string, names: string[], warn: Warn): Declared[] {
  return names.flatMap((name) => {
    const loaded =
      loadIfExists(path.join(dir, 'config', name)) ??
      (name === 'plugin.default' ? loadIfExists(path.join(dir, 'config/plugin')) : null);
    if (typeof loaded?.exports === 'function') {
      warn(`${loaded.file} exports a function and declares no plugin; export an object`);
    }
    if (!loaded || typeof loaded.exports !== 'object' || loaded.exports === null) return [];
    return [{ from: loaded.file, plugins: loaded.exports as PluginDeclarations }];
  });
}

export function customDeclarations(custom: PluginDeclarations | undefined, warn: Warn): Declared[] {
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

export function mergeDeclared(declared: Declared[], warn: Warn): Record<string, Plugin> {
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
  histories.set(plugin, [{ from, enable: plugin.enable }]);
  return plugin;
}

export function mergePlugin(target: Record<string, Plugin>, plugin: Plugin, warn: Warn): void {
  const existing = target[plugin.name];
  if (!existing) {
    const copy = { ...plugin };
    histories.set(copy, [...declarationsOf(plugin)]);
    target[plugin.name] = copy;
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
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    Object.assign(existing, { [key]: value });
  }
  histories.set(existing, [...declarationsOf(existing), ...declarationsOf(plugin)]);
}
