import path from 'node:path';
import { ClutchError } from '../errors.js';
import { type AppInfo, readAppInfo, typeFiles } from './app_info.js';
import { type ConfigObject, type ConfigProvenance, type LoadUnit, loadConfig } from './config/config.js';
import { type ConfigExplanation, explainConfig, explainPlugins, type PluginExplanation } from './config/explain.js';
import type { SecretKeys } from './config/secrets.js';
import { ContextLoader, type ContextLoaderOptions } from './files/context_loader.js';
import { type ControllerOptions, toController } from './files/controller.js';
import { loadCustomLoaders } from './files/custom_loader.js';
import { callSynchronously, isClass } from './files/export_kind.js';
import { applyExtend } from './files/extend.js';
import { FileLoader, type FileLoaderOptions } from './files/file_loader.js';
import { buildMiddleware, type ListedMiddleware } from './files/middleware.js';
import { loadIfExists, loadModule, resolveModule } from './files/module_loader.js';
import { frameworkPaths } from './framework_paths.js';
import type { LoaderHost } from './loader_host.js';
import { loadPlugins, type Plugin } from './plugins/plugin.js';

type ExtendName = 'application' | 'agent' | 'context' | 'request' | 'response' | 'helper';

/** Fills an application from the directories of its load units. Loading is synchronous. */
export class Loader {
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
  /** The middleware that config lists, in order. */
  listedMiddleware: ListedMiddleware[] = [];
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

  get #warn(): (message: string) => void {
    return (message) => this.warnings.push(message);
  }

  loadPlugin(): void {
    this.app.timing.measure('Load Plugin', () => {
      const { appInfo, eggPaths } = this;
      const loaded = loadPlugins({ appInfo, eggPaths, custom: this.app.options.plugins, warn: this.#warn });
      this.allPlugins = loaded.all;
      this.orderPlugins = loaded.ordered;
      this.plugins = Object.fromEntries(loaded.ordered.map((plugin) => [plugin.name, plugin]));
      this.eggPlugins = loaded.eggPlugins;
      this.appPlugins = loaded.appPlugins;
      this.customPlugins = loaded.customPlugins;
      this.lookupDirs = loaded.lookupDirs;
    });
  }

  loadConfig(): void {
    this.app.timing.measure('Load Config', () => {
      const { config, meta, provenance } = loadConfig(this.appInfo, this.getLoadUnits(), this.#warn);
      this.config = config;
      this.configMeta = meta;
      this.provenance = provenance;
    });
  }

  /** Names and patterns of config keys that are never shown. */
  get secretKeys(): SecretKeys {
    const ignore = (this.config['dump'] as { ignore?: unknown } | undefined)?.ignore;
    const isList = typeof ignore === 'object' && ignore !== null && Symbol.iterator in ignore;
    return isList ? (ignore as SecretKeys) : [];
  }

  /**
   * Tells for a config key, or each key below it, which files set it, in order, and to what.
   *
   * @example app.loader.explainConfig('security.csrf.enable')
   */
  explainConfig(key = ''): ConfigExplanation[] {
    return explainConfig(key, this.config, this.provenance, this.secretKeys);
  }

  /** Tells for each plugin why it is on or off, in load order. */
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

  getAppname(): string {
    return this.appInfo.name;
  }

  getHomedir(): string {
    return this.appInfo.HOME;
  }

  getTypeFiles(kind: string): string[] {
    return typeFiles(kind, this.appInfo);
  }

  #loadExtend(name: ExtendName, target: object): void {
    this.app.timing.measure(`Load extend/${name}.js`, () => {
      const units = this.getLoadUnits();
      const envs = [this.serverEnv];
      if (process.env['EGG_MOCK_SERVER_ENV'] && this.serverEnv !== 'unittest') envs.push('unittest');
      const files = [
        ...units.map((unit) => path.join(unit.path, 'app/extend', name)),
        ...units.flatMap((unit) => envs.map((env) => path.join(unit.path, 'app/extend', `${name}.${env}`))),
      ];
      for (const file of files) {
        const loaded = loadIfExists(file);
        if (loaded) applyExtend(target, loaded.exports, loaded.file);
      }
    });
  }

  loadApplicationExtend(): void {
    this.#loadExtend('application', this.app);
  }

  loadAgentExtend(): void {
    this.#loadExtend('agent', this.app);
  }

  loadContextExtend(): void {
    this.#loadExtend('context', this.app.context);
  }

  loadRequestExtend(): void {
    this.#loadExtend('request', this.app.request);
  }

  loadResponseExtend(): void {
    this.#loadExtend('response', this.app.response);
  }

  loadHelperExtend(): void {
    if (this.app.Helper) this.#loadExtend('helper', this.app.Helper.prototype);
  }

  /** Loads `app.js` of every unit, makes the hooks and runs `configWillLoad` and `configDidLoad`. */
  loadCustomApp(): void {
    this.#loadBoot('app');
  }

  /** Loads `agent.js` of every unit, makes the hooks and runs `configWillLoad` and `configDidLoad`. */
  loadCustomAgent(): void {
    this.#loadBoot('agent');
  }

  #loadBoot(name: 'app' | 'agent'): void {
    this.app.timing.measure(`Load ${name}.js`, () => {
      const { lifecycle } = this.app;
      for (const unit of this.getLoadUnits()) {
        const loaded = loadIfExists(path.join(unit.path, name));
        if (!loaded) continue;
        const { file, exports } = loaded;
        if (isClass(exports)) {
          Object.assign((exports as { prototype: object }).prototype, { fullPath: file });
          lifecycle.addBootHook(exports);
        } else if (typeof exports === 'function') {
          lifecycle.addFunctionAsBootHook(exports as (app: unknown) => unknown, file);
        } else {
          this.#warn(`${file} must export a class or a function and is ignored`);
        }
      }
      lifecycle.init();
    });
    this.app.lifecycle.triggerConfigWillLoad();
  }

  loadService(options: Partial<ContextLoaderOptions> = {}): void {
    this.app.timing.measure('Load Service', () => {
      this.loadToContext(this.#unitDirs('app/service'), 'service', {
        call: true,
        caseStyle: 'lower',
        fieldClass: 'serviceClasses',
        ...options,
      });
    });
  }

  /** @throws {ClutchError} ERR_CLUTCH_MIDDLEWARE */
  loadMiddleware(options: Partial<FileLoaderOptions> = {}): void {
    this.app.timing.measure('Load Middleware', () => {
      const { app, config } = this;
      const dirs = this.#unitDirs('app/middleware');
      this.loadToApp(dirs, 'middlewares', { call: false, override: true, caseStyle: 'lower', ...options });
      const factories = (app as unknown as { middlewares: Record<string, unknown> }).middlewares;
      for (const [name, factory] of Object.entries(factories)) {
        Object.defineProperty(app.middleware, name, { get: () => factory, enumerable: false, configurable: true });
      }
      const names = [...(config['coreMiddleware'] as string[]), ...(config['appMiddleware'] as string[])];
      this.listedMiddleware = buildMiddleware(names, factories, config, app);
      for (const { enabled, run } of this.listedMiddleware) if (enabled) app.use(run);
    });
  }

  /** @throws {ClutchError} ERR_CLUTCH_CONTROLLER */
  loadController(options: Partial<FileLoaderOptions> = {}): void {
    this.app.timing.measure('Load Controller', () => {
      const controllerOptions = (this.config['controller'] ?? {}) as ControllerOptions;
      this.loadToApp(path.join(this.appInfo.baseDir, 'app/controller'), 'controller', {
        caseStyle: 'lower',
        call: false,
        initializer: (exports: unknown, file) => toController(exports, file, this.app, controllerOptions),
        ...options,
      });
    });
  }

  loadRouter(): void {
    this.app.timing.measure('Load Router', () => {
      const file = resolveModule(path.join(this.appInfo.baseDir, 'app/router'));
      if (file === undefined) return;
      const router = this.requireFile(file);
      if (typeof router !== 'function' || isClass(router)) return;
      callSynchronously(
        router,
        () => router(this.app) as unknown,
        () =>
          new ClutchError('ERR_CLUTCH_MODULE', 'the function of app/router is async', {
            where: file,
            fix: 'Register routes synchronously, and move what must be awaited to didLoad in app.js.',
          }),
      );
    });
  }

  /** The class of `loadToApp`, for plugins that load files in a way of their own. */
  get FileLoader(): typeof FileLoader {
    return FileLoader;
  }

  /** The class of `loadToContext`. */
  get ContextLoader(): typeof ContextLoader {
    return ContextLoader;
  }

  /** Runs the entries of `config.customLoader`. */
  loadCustomLoader(): void {
    loadCustomLoaders(this);
  }

  /**
   * Loads one file; an exported function is called with `inject`, or with the app when none is given.
   *
   * @returns what the file or its function gives, null when there is no such file
   */
  loadFile(filepath: string, ...inject: unknown[]): unknown {
    const file = resolveModule(filepath);
    if (file === undefined) return null;
    const exports = this.requireFile(file);
    if (typeof exports !== 'function' || isClass(exports)) return exports;
    return (exports as (...args: unknown[]) => unknown)(...(inject.length === 0 ? [this.app] : inject));
  }

  requireFile(file: string): unknown {
    return this.app.timing.measure(`Require ${path.relative(this.appInfo.baseDir, file)}`, () => loadModule(file));
  }

  resolveModule(filepath: string): string | undefined {
    return resolveModule(filepath);
  }

  /** Loads the files of directories into `app[property]`, which is made anew. */
  loadToApp(directory: string | string[], property: string | symbol, options: Partial<FileLoaderOptions> = {}): void {
    const target = {};
    Object.assign(this.app, { [property]: target });
    this.app.timing.measure(`Load "${String(property)}" to Application`, () =>
      new FileLoader({ inject: this.app, ...options, directory, target }).load(),
    );
  }

  /** Loads the files of directories into `ctx[property]`; classes become instances at first use. */
  loadToContext(directory: string | string[], property: string, options: Partial<ContextLoaderOptions> = {}): void {
    this.app.timing.measure(`Load "${property}" to Context`, () =>
      new ContextLoader({ inject: this.app, ...options, directory, property }).load(),
    );
  }

  #unitDirs(sub: string): string[] {
    return this.getLoadUnits().map((unit) => path.join(unit.path, sub));
  }
}
