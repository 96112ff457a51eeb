import path from 'node:path';
import { debuglog } from 'node:util';
import { Masker, type SecretKeys } from '../output/secrets.js';
import { type AppInfo, readAppInfo, typeFiles } from './app_info.js';
import { type ConfigProvenance, loadConfig } from './config/config.js';
import { type ConfigExplanation, explainConfig, explainPlugins, type PluginExplanation } from './config/explain.js';
import { frameworkPaths } from './framework_paths.js';
import type { ConfigObject, LoadUnit } from './load_unit.js';
import type { LoaderHost } from './loader_host.js';
import { loadPlugins } from './plugins/plugin.js';
import type { Plugin } from './plugins/plugin_declaration.js';

const log = debuglog('clutch:loader');

/** Knows the load units of an application: its app, frameworks and plugins, and the config that they merge to. */
export class UnitLoader {
  readonly app: LoaderHost;
  readonly appInfo: AppInfo;
  readonly serverEnv: string;
  readonly serverScope: string;
  /** Framework directories, base first. */
  readonly eggPaths: string[];
  config!: ConfigObject;
  configMeta!: ConfigObject;
  provenance!: ConfigProvenance;
  /** Enabled plugins in load order, by name. */
  plugins!: Record<string, Plugin>;
  allPlugins!: Record<string, Plugin>;
  orderPlugins: Plugin[] = [];
  eggPlugins!: Record<string, Plugin>;
  appPlugins!: Record<string, Plugin>;
  customPlugins!: Record<string, Plugin>;
  lookupDirs: string[] = [];
  dirs: LoadUnit[] | undefined;
  /** Warnings of the loader; the framework logs them once it has a logger. */
  readonly warnings: string[] = [];

  /** @throws {ClutchError} ERR_CLUTCH_PACKAGE, ERR_CLUTCH_FRAMEWORK */
  constructor(app: LoaderHost) {
    this.app = app;
    this.appInfo = readAppInfo({ baseDir: app.baseDir, env: app.options.env, serverScope: app.options.serverScope });
    this.serverEnv = this.appInfo.env;
    this.serverScope = this.appInfo.scope;
    this.eggPaths = frameworkPaths(app);
  }

  protected readonly warn = (message: string): void => {
    this.warnings.push(message);
  };

  loadPlugin(): void {
    this.app.timing.measure('Load Plugin', () => {
      const { appInfo, eggPaths } = this;
      const loaded = loadPlugins({ appInfo, eggPaths, custom: this.app.options.plugins, warn: this.warn });
      this.allPlugins = loaded.all;
      this.orderPlugins = loaded.ordered;
      this.plugins = Object.fromEntries(loaded.ordered.map((plugin) => [plugin.name, plugin]));
      this.eggPlugins = loaded.eggPlugins;
      this.appPlugins = loaded.appPlugins;
      this.customPlugins = loaded.customPlugins;
      this.lookupDirs = loaded.lookupDirs;
    });
    if (log.enabled) for (const { name, reason } of this.explainPlugins()) log('plugin %s: %s', name, reason);
  }

  loadConfig(): void {
    this.app.timing.measure('Load Config', () => {
      const { config, meta, provenance } = loadConfig(this.appInfo, this.getLoadUnits(), this.warn);
      this.config = config;
      this.configMeta = meta;
      this.provenance = provenance;
    });
  }

  /** Hides secrets wherever config, logs and errors are written: by the words of keys, by `config.dump.ignore`, by shape. */
  get masker(): Masker {
    const { ignore, ignoreKeyPaths } = (this.config['dump'] ?? {}) as { ignore?: unknown; ignoreKeyPaths?: object };
    const isList = typeof ignore === 'object' && ignore !== null && Symbol.iterator in ignore;
    return new Masker(isList ? (ignore as SecretKeys) : [], Object.keys(ignoreKeyPaths ?? {}));
  }

  /**
   * Explains a config key, or each key below it: which files set it, in order, and to what.
   *
   * @example app.loader.explainConfig('security.csrf.enable')
   */
  explainConfig(key = ''): ConfigExplanation[] {
    return explainConfig(key, this.config, this.provenance, this.masker);
  }

  /** Explains for each plugin why it is on or off, in load order. */
  explainPlugins(): PluginExplanation[] {
    return explainPlugins(this.allPlugins, this.orderPlugins);
  }

  /** @returns plugins in order, then frameworks base first, then the app */
  getLoadUnits(): LoadUnit[] {
    this.dirs ??= [
      ...this.orderPlugins.map(({ path: dir, name }) => ({ path: dir as string, type: 'plugin' as const, name })),
      ...this.eggPaths.map((dir) => ({ path: dir, type: 'framework' as const })),
      { path: this.appInfo.baseDir, type: 'app' as const },
    ];
    return this.dirs;
  }

  getServerEnv(): string {
    return this.serverEnv;
  }

  getServerScope(): string {
    return this.serverScope;
  }

  getEggPaths(): string[] {
    return this.eggPaths;
  }

  getLookupDirs(): string[] {
    return this.lookupDirs;
  }

  /** @returns where each load unit may have the extend file of that name, such as `context`, in load order */
  getExtendFilePaths(name: string): string[] {
    return this.getLoadUnits().map((unit) => path.join(unit.path, 'app/extend', name));
  }

  getAppname(): string {
    return this.appInfo.name;
  }

  getHomedir(): string {
    return this.appInfo.HOME;
  }

  getTypeFiles(kind: string): string[] {
    return typeFiles(kind, this.appInfo);
  }
}
