import path from 'node:path';
import { debuglog } from 'node:util';
import { ClutchError } from '../errors.js';
import { Masker, type SecretKeys } from '../output/secrets.js';
import { assertAppDirectory, type PackageJson, readPackage } from '../resolve/package.js';
import { type AppInfo, appName, homeDirectory, resolveServerEnv, typeFiles } from './app_info.js';
import { type ConfigProvenance, loadConfig } from './config/config.js';
import { type ConfigExplanation, explainConfig, explainPlugins, type PluginExplanation } from './config/explain.js';
import { frameworkPaths } from './framework_paths.js';
import type { ConfigObject, LoadUnit } from './load_unit.js';
import type { LoaderHost, LoaderOptions } from './loader_host.js';
import { applyOrder, loadPlugins } from './plugins/plugin.js';
import { customDeclarations, mergeDeclared, type Plugin, readDeclarations } from './plugins/plugin_declaration.js';
import { pluginDirectory } from './plugins/plugin_package.js';
import { Timing } from './timing.js';

const log = debuglog('clutch:loader');

/** Knows the load units of an application: its app, frameworks and plugins, and the config that they merge to. */
export class UnitLoader {
  readonly options: LoaderOptions;
  readonly app: LoaderHost;
  readonly lifecycle: LoaderHost['lifecycle'];
  readonly timing: Timing;
  /** The app's package.json. */
  readonly pkg: PackageJson;
  readonly appInfo: AppInfo;
  readonly serverEnv: string;
  readonly serverScope: string;
  /** Framework directories, base first. */
  readonly eggPaths: string[];
  /** Not there before `loadConfig`; the members of an app are loaded after it. */
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
  /** Where packages of plugins are looked for, in this order. */
  lookupDirs!: Set<string>;
  dirs: LoadUnit[] | undefined;

  /** @throws {ClutchError} ERR_CLUTCH_OPTION, ERR_CLUTCH_NOT_FOUND, ERR_CLUTCH_PACKAGE, ERR_CLUTCH_FRAMEWORK */
  constructor(options: LoaderOptions) {
    for (const key of ['baseDir', 'app', 'logger'] as const) {
      if (!options[key]) {
        throw new ClutchError('ERR_CLUTCH_OPTION', `options.${key} is required`, { fix: `Give the loader ${key}.` });
      }
    }
    assertAppDirectory(options.baseDir, 'options.baseDir');
    this.options = options;
    this.app = options.app as LoaderHost;
    this.lifecycle = this.app.lifecycle;
    this.timing = this.app.timing ?? new Timing();
    this.pkg = readPackage(options.baseDir);
    this.eggPaths = this.getEggPaths();
    this.serverEnv = this.getServerEnv();
    this.serverScope = options.serverScope ?? this.getServerScope();
    this.appInfo = this.getAppInfo();
  }

  protected readonly warn = (message: string): void => {
    this.options.logger.warn(message);
  };

  // A framework's loader may override each of the following methods, as in Egg.

  getServerEnv(): string {
    return resolveServerEnv(this.options.baseDir, this.options.env);
  }

  /** The server scope, unless `options.serverScope` gives one. */
  getServerScope(): string {
    return process.env['EGG_SERVER_SCOPE'] ?? '';
  }

  getEggPaths(): string[] {
    return frameworkPaths(this.app);
  }

  getAppname(): string {
    return appName(this.pkg, this.options.baseDir);
  }

  getHomedir(): string {
    return homeDirectory();
  }

  getAppInfo(): AppInfo {
    const { serverEnv: env, serverScope: scope } = this;
    const { baseDir } = this.options;
    const HOME = this.getHomedir();
    const name = this.getAppname();
    const root = env === 'local' || env === 'unittest' ? baseDir : HOME;
    return { name, baseDir, env, scope, HOME, root, pkg: { ...this.pkg, name } };
  }

  getTypeFiles(kind: string): string[] {
    return typeFiles(kind, { env: this.serverEnv, scope: this.serverScope });
  }

  getLookupDirs(): Set<string> {
    return new Set([this.options.baseDir, ...this.eggPaths.toReversed(), process.cwd()]);
  }

  getPluginPath(plugin: Plugin): string {
    return pluginDirectory(plugin, [...this.lookupDirs]);
  }

  /** @returns the enabled plugins in load order */
  getOrderPlugins(
    candidates: Record<string, Plugin>,
    _enabled: string[],
    appPlugins: Record<string, Plugin>,
  ): Plugin[] {
    return applyOrder(candidates, { appPlugins, allPlugins: this.allPlugins, logger: this.options.logger });
  }

  loadEggPlugins(): Record<string, Plugin> {
    return this.#declaredIn(this.eggPaths);
  }

  loadAppPlugins(): Record<string, Plugin> {
    return this.#declaredIn([this.options.baseDir]);
  }

  loadCustomPlugins(): Record<string, Plugin> {
    return mergeDeclared(customDeclarations(this.options.plugins, this.warn), this.warn);
  }

  #declaredIn(dirs: string[]): Record<string, Plugin> {
    const names = this.getTypeFiles('plugin');
    return mergeDeclared(
      dirs.flatMap((dir) => readDeclarations(dir, names, this.warn)),
      this.warn,
    );
  }

  loadPlugin(): void {
    this.timing.measure('Load Plugin', () => {
      this.lookupDirs = this.getLookupDirs();
      const loaded = loadPlugins(this);
      this.orderPlugins = loaded.ordered;
      this.plugins = Object.fromEntries(loaded.ordered.map((plugin) => [plugin.name, plugin]));
      this.eggPlugins = loaded.eggPlugins;
      this.appPlugins = loaded.appPlugins;
      this.customPlugins = loaded.customPlugins;
    });
    if (log.enabled) for (const { name, reason } of this.explainPlugins()) log('plugin %s: %s', name, reason);
  }

  loadConfig(): void {
    this.timing.measure('Load Config', () => {
      const { config, meta, provenance } = loadConfig({
        appInfo: this.appInfo,
        names: this.getTypeFiles('config'),
        units: this.getLoadUnits(),
        resolved: this.options.resolvedConfig,
        warn: this.warn,
      });
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
    return explainPlugins(this.allPlugins, this.orderPlugins, this.serverEnv);
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

  /** @returns where each load unit may have the extend file of that name, such as `context`, in load order */
  getExtendFilePaths(name: string): string[] {
    return this.getLoadUnits().map((unit) => path.join(unit.path, 'app/extend', name));
  }
}
