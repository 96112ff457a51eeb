import type { AppInfo } from '../app_info.js';
import {
  customDeclarations,
  mergeDeclared,
  mergePlugin,
  type Plugin,
  type PluginDeclarations,
  readDeclarations,
} from './plugin_declaration.js';
import { orderPlugins } from './plugin_order.js';
import { locatePlugin } from './plugin_package.js';

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
    eggPaths.flatMap((dir) => readDeclarations(dir, appInfo, warn)),
    warn,
  );
  const appPlugins = mergeDeclared(readDeclarations(appInfo.baseDir, appInfo, warn), warn);
  const customPlugins = mergeDeclared(customDeclarations(sources.custom, warn), warn);

  const all: Record<string, Plugin> = {};
  for (const group of [eggPlugins, appPlugins, customPlugins]) {
    for (const plugin of Object.values(group)) mergePlugin(all, plugin, warn);
  }
  const lookupDirs = [...new Set([appInfo.baseDir, ...eggPaths.toReversed(), process.cwd()])];
  for (const plugin of Object.values(all)) locatePlugin(plugin, lookupDirs, warn);
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
