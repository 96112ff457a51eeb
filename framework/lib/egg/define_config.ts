import type { AppInfo, PluginDeclaration } from '../../../loader/index.js';
import type { PartialEggConfig } from './egg_types.js';

/** Types an object that a config file exports: declared keys are checked at every depth. */
export function defineConfig<C extends PartialEggConfig>(config: C & PartialEggConfig): C {
  return config;
}

/** Types a function that a config file exports; it may be async. */
export function defineConfigFactory<C extends PartialEggConfig | Promise<PartialEggConfig>>(
  factory: (appInfo: AppInfo) => C,
): (appInfo: AppInfo) => C {
  return factory;
}

/** A plugin that declares itself: `config/plugin` of an app spreads what its factory returns. */
export interface EggPluginMeta extends PluginDeclaration {
  name: string;
  path: string;
}

/** @returns a function that gives the declaration of the plugin, changed by `options`, under its name */
export function definePluginFactory(
  meta: EggPluginMeta,
): (options?: Partial<PluginDeclaration>) => Record<string, PluginDeclaration> {
  const { name, ...declaration } = meta;
  return (options) => ({ [name]: { ...declaration, ...options } });
}
