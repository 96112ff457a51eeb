import type { LoaderLogger } from '../loader_host.js';
import { mergePlugin, type Plugin } from './plugin_declaration.js';
import { orderPlugins } from './plugin_order.js';
import { applyPackage } from './plugin_package.js';

/** The loader, as far as loading plugins needs it; a framework may override each method. */
export interface PluginHost {
  serverEnv: string;
  options: { logger: LoaderLogger };
  /** Set before `getOrderPlugins` is called. */
  allPlugins: Record<string, Plugin>;
  loadEggPlugins(): Record<string, Plugin>;
  loadAppPlugins(): Record<string, Plugin>;
  loadCustomPlugins(): Record<string, Plugin>;
  getPluginPath(plugin: Plugin): string;
  getOrderPlugins(all: Record<string, Plugin>, enabled: string[], app: Record<string, Plugin>): Plugin[];
}

export interface LoadedPlugins {
  ordered: Plugin[];
  eggPlugins: Record<string, Plugin>;
  appPlugins: Record<string, Plugin>;
  customPlugins: Record<string, Plugin>;
}

/**
 * Reads, merges, resolves and orders the plugins of an app.
 *
 * @throws {ClutchError} ERR_CLUTCH_PLUGIN_* as `orderPlugins` and the single steps do
 */
export function loadPlugins(host: PluginHost): LoadedPlugins {
  const warn = (message: string): void => host.options.logger.warn(message);
  const eggPlugins = host.loadEggPlugins();
  const appPlugins = host.loadAppPlugins();
  const customPlugins = host.loadCustomPlugins();
  const all: Record<string, Plugin> = {};
  host.allPlugins = all;
  for (const group of [eggPlugins, appPlugins, customPlugins]) {
    for (const plugin of Object.values(group)) mergePlugin(all, plugin, warn);
  }
  const candidates: Record<string, Plugin> = {};
  for (const plugin of Object.values(all)) {
    plugin.path = host.getPluginPath(plugin);
    applyPackage(plugin, plugin.path, warn);
    if (isForEnv(plugin, host.serverEnv)) candidates[plugin.name] = plugin;
    else plugin.enable = false;
  }
  const enabled = Object.values(candidates).flatMap(({ name, enable }) => (enable ? [name] : []));
  return { ordered: host.getOrderPlugins(candidates, enabled, appPlugins), eggPlugins, appPlugins, customPlugins };
}

export function isForEnv({ env }: Plugin, serverEnv: string): boolean {
  return env.length === 0 || env.includes(serverEnv);
}

interface OrderSources {
  /** As the app declares them. */
  appPlugins: Record<string, Plugin>;
  /** All that are declared, also those that are not for this env. */
  allPlugins: Record<string, Plugin>;
  logger: LoaderLogger;
}

/** Turns on what enabled plugins need, with a line in the log, and notes who needs it. @returns the plugins in load order */
export function applyOrder(
  candidates: Record<string, Plugin>,
  { appPlugins: app, allPlugins, logger }: OrderSources,
): Plugin[] {
  const { names, implicit } = orderPlugins(candidates, allPlugins);
  for (const { name, neededBy } of implicit) {
    const plugin = candidates[name] as Plugin;
    plugin.enable = true;
    plugin.implicitEnable = true;
    if (app[name]?.enable === false) {
      logger.warn(`plugin "${name}" is off in ${app[name].from} but is on because "${neededBy}" needs it`);
    } else {
      logger.info(`plugin "${name}" is on because "${neededBy}" needs it`);
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
