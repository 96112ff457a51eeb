import path from 'node:path';
import { ClutchError } from '../errors.js';
import { loadBootFiles } from './boot_files.js';
import { ContextLoader, type ContextLoaderOptions } from './files/context_loader.js';
import { type ControllerOptions, toController } from './files/controller.js';
import { loadCustomLoaders } from './files/custom_loader.js';
import { callSynchronously, isClass } from './files/export_kind.js';
import { applyExtends } from './files/extend.js';
import { FileLoader, type FileLoaderOptions } from './files/file_loader.js';
import { toAsyncFunction } from './files/generators.js';
import { buildMiddleware, type ListedMiddleware } from './files/middleware.js';
import { loadModule, resolveModule } from './files/module_loader.js';
import { isPlainObject } from './load_unit.js';
import { UnitLoader } from './unit_loader.js';

/** What Koa sets on each context. */
const KOA_FIELDS = new Set(['app', 'req', 'res', 'request', 'response', 'originalUrl', 'state', 'respond']);

/** Fills an application from the directories of its load units. Loading is synchronous. */
export class Loader extends UnitLoader {
  /** The middleware that config lists, in order. */
  listedMiddleware: ListedMiddleware[] = [];
  /** What was loaded into properties of `ctx`. */
  readonly #contextTrees = new Map<string, object>();

  /** Applies `app/extend/<name>` of each unit to an object. */
  loadExtend(name: string, target: object): void {
    this.timing.measure(`Load extend/${name}.js`, () => {
      const envs = [this.serverEnv];
      if (process.env['EGG_MOCK_SERVER_ENV'] && this.serverEnv !== 'unittest') envs.push('unittest');
      applyExtends(this.getExtendFilePaths(name), target, envs);
    });
  }

  loadApplicationExtend(): void {
    this.loadExtend('application', this.app);
  }

  loadAgentExtend(): void {
    this.loadExtend('agent', this.app);
  }

  /** In an Agent the files are loaded when something uses `context`: most Agents make none. */
  loadContextExtend(): void {
    const { app } = this;
    if (app.withContextPrototype) app.withContextPrototype((context) => this.loadExtend('context', context));
    else this.loadExtend('context', app.context);
  }

  loadRequestExtend(): void {
    this.loadExtend('request', this.app.request);
  }

  loadResponseExtend(): void {
    this.loadExtend('response', this.app.response);
  }

  loadHelperExtend(): void {
    if (this.app.Helper) this.loadExtend('helper', this.app.Helper.prototype);
  }

  /** Loads `app.js` of every unit, creates the hooks and runs `configWillLoad` and `configDidLoad`. */
  loadCustomApp(): void {
    this.#loadBoot('app');
  }

  /** Loads `agent.js` of every unit, creates the hooks and runs `configWillLoad` and `configDidLoad`. */
  loadCustomAgent(): void {
    this.#loadBoot('agent');
  }

  #loadBoot(name: 'app' | 'agent'): void {
    const { lifecycle } = this;
    this.timing.measure(`Load ${name}.js`, () => {
      loadBootFiles(name, this.getLoadUnits(), lifecycle, this.warn);
      lifecycle.init();
    });
    lifecycle.triggerConfigWillLoad();
  }

  loadService(options: Partial<ContextLoaderOptions> = {}): void {
    this.timing.measure('Load Service', () => {
      this.loadToContext(options.directory ?? this.#unitDirs('app/service'), 'service', {
        call: true,
        caseStyle: 'lower',
        fieldClass: 'serviceClasses',
        ...options,
      });
    });
  }

  /** @throws {ClutchError} ERR_CLUTCH_MIDDLEWARE */
  loadMiddleware(options: Partial<FileLoaderOptions> = {}): void {
    this.timing.measure('Load Middleware', () => {
      const { app, config } = this;
      const dirs = options.directory ?? this.#unitDirs('app/middleware');
      this.loadToApp(dirs, 'middlewares', { call: false, override: true, caseStyle: 'lower', ...options });
      const factories: Record<string, unknown> = { ...app.middlewares };
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
    this.timing.measure('Load Controller', () => {
      // A bare loader may load controllers without config.
      const controllerOptions = (this.config?.['controller'] ?? {}) as ControllerOptions;
      const directory = options.directory ?? path.join(this.options.baseDir, 'app/controller');
      this.loadToApp(directory, 'controller', {
        caseStyle: 'lower',
        call: false,
        initializer: (exports: unknown, file) => toController(exports, file, this.app, controllerOptions),
        ...options,
      });
    });
  }

  loadRouter(): void {
    this.timing.measure('Load Router', () => {
      const file = resolveModule(path.join(this.options.baseDir, 'app/router'));
      if (file === undefined) return;
      const router = this.requireFile(file);
      if (typeof router !== 'function' || isClass(router)) return;
      const run = toAsyncFunction(router);
      callSynchronously(
        run,
        () => run(this.app) as unknown,
        () =>
          new ClutchError(
            'ERR_CLUTCH_MODULE',
            `app/router exports ${run === router ? 'an async' : 'a generator'} function`,
            {
              where: file,
              fix: 'Register routes synchronously, and move what must be awaited to didLoad in app.js.',
            },
          ),
      );
    });
  }

  /** The class of `loadToApp`, for plugins that load files in their own way. */
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
   * @returns the export, or what the exported function returns; null if there is no such file
   */
  loadFile(filepath: string, ...inject: unknown[]): unknown {
    const file = resolveModule(filepath);
    if (file === undefined) return null;
    const exports = this.requireFile(file);
    if (typeof exports !== 'function' || isClass(exports)) return exports;
    return (exports as (...args: unknown[]) => unknown)(...(inject.length === 0 ? [this.app] : inject));
  }

  requireFile(file: string): unknown {
    return this.timing.measure(`Require ${path.relative(this.options.baseDir, file)}`, () => loadModule(file));
  }

  resolveModule(filepath: string): string | undefined {
    return resolveModule(filepath);
  }

  /**
   * Loads the files of directories into `app[property]`, next to what an earlier load put there.
   *
   * @param options `target` is filled in place of `app[property]`
   * @throws {ClutchError} ERR_CLUTCH_DUPLICATE for two files of the same name, and for a property that holds something else
   */
  loadToApp(directory: string | string[], property: string | symbol, options: Partial<FileLoaderOptions> = {}): void {
    const name = String(property);
    const existing: unknown = Reflect.get(this.app, property);
    if (existing !== undefined && existing !== null && !isPlainObject(existing)) {
      throw new ClutchError('ERR_CLUTCH_DUPLICATE', `app.${name} exists already and cannot hold loaded files`, {
        where: [directory].flat(),
        fix: 'Choose another property.',
      });
    }
    const target = existing ?? {};
    if (target !== existing) Object.assign(this.app, { [property]: target });
    this.timing.measure(`Load "${name}" to Application`, () =>
      new FileLoader({ inject: this.app, directory, target, ...options }).load(),
    );
  }

  /**
   * Loads the files of directories into `ctx[property]`, next to what an earlier load put there; classes become
   * instances on first use.
   *
   * @throws {ClutchError} ERR_CLUTCH_DUPLICATE for two files of the same name, and for a property that holds something else
   */
  loadToContext(directory: string | string[], property: string, options: Partial<ContextLoaderOptions> = {}): void {
    this.timing.measure(`Load "${property}" to Context`, () => {
      const all = { inject: this.app, directory, property, ...options };
      if (
        !this.#contextTrees.has(all.property) &&
        (all.property in all.inject.context || KOA_FIELDS.has(all.property))
      ) {
        throw new ClutchError(
          'ERR_CLUTCH_DUPLICATE',
          `ctx.${all.property} exists already and cannot hold loaded files`,
          {
            where: [all.directory].flat(),
            fix: 'Choose another property.',
          },
        );
      }
      const loader = new ContextLoader({ ...all, target: this.#contextTrees.get(all.property) });
      this.#contextTrees.set(all.property, loader.load());
    });
  }

  #unitDirs(sub: string): string[] {
    return this.getLoadUnits().map((unit) => path.join(unit.path, sub));
  }
}
