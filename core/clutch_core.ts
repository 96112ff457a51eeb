import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { inspect } from 'node:util';
import { ClutchError } from '../errors.js';
import {
  AsyncConfigError,
  CORE,
  Loader,
  type LoaderOptions,
  type Plugin,
  ResolvedConfig,
  Timing,
  toAsyncFunction,
  toMiddleware,
  toPromise,
} from '../loader/index.js';
import { begin, channels } from '../tracing/channels.js';
import { BaseContextClass } from './base_context_class.js';
import { type CoreOptions, checkOptions } from './core_options.js';
import { closeServer } from './http/close_server.js';
import { FAST_CLASSES, isTurnedOff, whyNotFast } from './http/fast_path.js';
import { keepNextTickShape } from './http/node_internals.js';
import { deferKoa, KoaBase, loadKoa } from './koa_base.js';
import { leveledConsole } from './leveled_console.js';
import { Lifecycle } from './lifecycle/lifecycle.js';
import type { TaskOptions } from './lifecycle/task_group.js';
import type { Composed } from './request/composed.js';
import { contextFactory, defineLazyState } from './request/context.js';
import { composeApp, handleRequest } from './request/handle_request.js';
import { contextPrototype, responsePrototype } from './request/koa_prototypes.js';
import type { RouteVerb } from './router/route_types.js';
import type { Router } from './router/router.js';
import type { AppConfig, Context, Middleware } from './types.js';
import { userFrame } from './user_frame.js';

const require = createRequire(import.meta.url);
const { createServer } = process.getBuiltinModule('node:http');
keepNextTickShape();

declare module './types.js' {
  interface FrameworkTypes {
    core: ClutchCore;
  }
}

type ReadyArgument = ((error?: Error) => void) | boolean | Error;
type LoaderClass = new (options: LoaderOptions) => Loader;

/** For loading that is done again, and reports then. */
const SILENT: LoaderOptions['logger'] = { info: () => undefined, warn: () => undefined };

function loaderOptions(app: Pick<ClutchCore, 'options'>, logger: LoaderOptions['logger']): LoaderOptions {
  const { baseDir, plugins, env, serverScope, resolvedConfig } = app.options;
  return { baseDir, app, logger, plugins, env, serverScope, resolvedConfig };
}

const EGG_LOADER: unique symbol = Symbol.for('egg#loader');
const STORAGE = Symbol.for('gals#asyncLocalStorage');

/**
 * The key under which an app has itself. Test kits wrap an app in a Proxy, and a method that is called on the Proxy has
 * no private members: it takes them from `this[SELF]`.
 */
export const SELF: unique symbol = Symbol('clutch#self');

/** One AsyncLocalStorage for all apps of a process, found by the same symbol as in Egg's own packages. */
function contextStorage(): AsyncLocalStorage<Context> {
  const holder = globalThis as { [STORAGE]?: AsyncLocalStorage<Context> };
  return (holder[STORAGE] ??= new AsyncLocalStorage<Context>());
}

/**
 * Koa with a loader and a lifecycle: what Application and Agent have in common.
 *
 * @throws {ClutchError} ERR_CLUTCH_OPTION, ERR_CLUTCH_NOT_FOUND, ERR_CLUTCH_PACKAGE, ERR_CLUTCH_FRAMEWORK
 */
export class ClutchCore extends KoaBase {
  declare readonly [SELF]: this;
  readonly options: CoreOptions & { baseDir: string; type: 'application' | 'agent' };
  readonly timing = new Timing();
  readonly lifecycle: Lifecycle;
  readonly loader: Loader;
  /** The base classes that plugins extend: `class extends app.Service`. */
  readonly BaseContextClass = BaseContextClass;
  readonly Controller = BaseContextClass;
  readonly Service = BaseContextClass;
  readonly #storage: AsyncLocalStorage<Context>;
  #router: Router | undefined;
  #createContext: ((req: IncomingMessage, res: ServerResponse) => Context) | undefined;
  /** What waits for `context`; undefined once that is there. */
  #contextTasks: ((context: object) => void)[] | undefined = [];

  /** Loads and checks ahead what nearly every app needs: an app worker has the time while the Agent boots. */
  static warmUp(): void {
    loadKoa();
    require('./router/router.js');
    whyNotFast();
  }

  /**
   * Constructs an app, but awaits async config functions first if there are any.
   *
   * @throws {ClutchError} what the constructor throws; ERR_CLUTCH_CONFIG if an async config function fails, or takes longer than
   *   `options.configTimeout`, and no earlier result of it is on disk
   */
  static async create<T, O extends CoreOptions>(
    this: (new (options: O) => T) & { resolveConfig(options: CoreOptions): Promise<void> },
    options: NoInfer<O>,
  ): Promise<T> {
    try {
      return new this(options);
    } catch (error) {
      if (!(error instanceof AsyncConfigError)) throw error;
    }
    // biome-ignore lint/complexity/noThisInStatic: a framework's class constructs itself
    await this.resolveConfig(options);
    return new this(options);
  }

  /**
   * Awaits the async config functions of an app that something else constructs afterwards from the same options, such as a
   * test kit. Their results are kept in `options.resolvedConfig`.
   *
   * @throws {ClutchError} as `create()` does
   */
  static async resolveConfig(options: CoreOptions): Promise<void> {
    options.baseDir ??= process.cwd();
    options.resolvedConfig ??= new ResolvedConfig();
    // As much of an app as the loader needs for plugins and config: nothing else has been constructed yet.
    // biome-ignore lint/complexity/noThisInStatic: the prototype chain names the directories of frameworks
    const host = Object.create(this.prototype as object, {
      options: { value: options },
      timing: { value: new Timing() },
    });
    const LoaderOfApp = host[EGG_LOADER] as LoaderClass;
    for (;;) {
      try {
        return new LoaderOfApp(loaderOptions(host, SILENT)).loadConfig();
      } catch (error) {
        if (!(error instanceof AsyncConfigError)) throw error;
        await options.resolvedConfig.add(error.pending, options.configTimeout);
      }
    }
  }

  constructor(options: CoreOptions = {}) {
    if (options.type !== 'agent') loadKoa();
    const { asyncLocalStorage, ...koaOptions } = options;
    super(koaOptions);
    this.#storage = asyncLocalStorage instanceof AsyncLocalStorage ? asyncLocalStorage : contextStorage();
    Object.defineProperty(this, SELF, { value: this });
    options.baseDir ??= process.cwd();
    options.type ??= 'application';
    checkOptions(options);
    this.options = options as ClutchCore['options'];
    if (Object.hasOwn(this, 'middleware')) this.#preparePrototypes();
    else {
      Object.assign(this, { [inspect.custom]: this.inspect });
      deferKoa(this, koaOptions, () => this.#preparePrototypes());
    }
    const title = this.type === 'agent' ? 'Agent' : 'Application';
    this.timing.start(`${title} Start`);
    this.lifecycle = new Lifecycle(this, this.timing);
    for (const event of ['error', 'ready_timeout', 'ready_stat', 'startTimeout']) {
      this.lifecycle.on(event, (...args: unknown[]) => this.emit(event, ...args));
    }
    this.lifecycle.readyState.onSettled(() => this.timing.end(`${title} Start`));
    const LoaderOfApp = this[EGG_LOADER];
    if (!LoaderOfApp) {
      throw new ClutchError('ERR_CLUTCH_FRAMEWORK', "Symbol.for('egg#loader') is required", {
        where: this.constructor.name,
        fix: 'Return the loader class from a getter of that name.',
      });
    }
    this.loader = new LoaderOfApp(loaderOptions(this, this.loaderLogger));
    if (channels.boot.hasSubscribers) {
      const { type, name } = this;
      this.lifecycle.readyState.onSettled(begin('boot', { app: this as never, type, name }));
    }
  }

  /** The loader itself, for an application without a framework; `AppWorkerLoader` and `AgentWorkerLoader` know what to load. */
  get [EGG_LOADER](): LoaderClass | undefined {
    return Loader;
  }

  /** Where the loader reports to. */
  protected get loaderLogger(): LoaderOptions['logger'] {
    return this.console;
  }

  /** Egg's older name of `options`. */
  get _options(): this['options'] {
    return this.options;
  }

  #preparePrototypes(): void {
    this.context = Object.create(contextPrototype(Object.getPrototypeOf(this.context)));
    this.response = Object.create(responsePrototype(Object.getPrototypeOf(this.response)));
    defineLazyState(this.context);
    const tasks = this.#contextTasks ?? [];
    this.#contextTasks = undefined;
    for (const task of tasks) task(this.context);
  }

  /** Calls `task` with `context`: at once, but in an Agent when `context` is used for the first time. */
  withContextPrototype(task: (context: object) => void): void {
    const self = this[SELF];
    if (self.#contextTasks) self.#contextTasks.push(task);
    else task(self.context);
  }

  get type(): 'application' | 'agent' {
    return this.options.type;
  }

  get baseDir(): string {
    return this.options.baseDir;
  }

  get name(): string {
    return this.loader.appInfo.name;
  }

  get config(): AppConfig {
    return this.loader?.config as AppConfig;
  }

  /** Enabled plugins by name, in load order. */
  get plugins(): Record<string, Plugin> {
    return this.loader.plugins;
  }

  override use(fn: Middleware): this {
    loadKoa();
    // Koa refuses what is no function, with its own TypeError.
    return super.use(typeof fn === 'function' ? toMiddleware(fn) : fn);
  }

  /** Created at first use. Its middleware comes last, after everything that is used before the app is ready. */
  get router(): Router {
    const self = this[SELF];
    if (!self.#router) {
      // Loaded late: the Agent has no routes.
      const { Router } = require('./router/router.js') as typeof import('./router/router.js');
      const router = new Router({ sensitive: true }, self);
      self.#router = router;
      self.beforeStart(() => {
        self.use(Object.assign(router.middleware(), { _name: 'router' }));
      }, 'mount router');
    }
    return self.#router;
  }

  /** The handler for `http.createServer`. Requests run inside `ctxStorage`, unless `config.asyncContext` is false. */
  override callback(): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
    const chain = composeApp(this.middleware, this.options.compose);
    if (this.listenerCount('error') === 0) this.on('error', this.onerror);
    if (!this[SELF].#tracksContext) {
      return (req, res) => {
        const ctx = this.createContext(req, res);
        return this.handleRequest(ctx, chain(ctx));
      };
    }
    const storage = this[SELF].#storage;
    const handle = (ctx: Context): Promise<void> => this.handleRequest(ctx, chain(ctx));
    return (req, res) => {
      const ctx = this.createContext(req, res);
      // One function for all requests gets `ctx` as an argument: no closure per request.
      return storage.run(ctx, handle, ctx);
    };
  }

  /**
   * The options for `http.createServer`, beside `callback()`: with them ordinary requests and responses take a faster path.
   * They are empty if the faster path is turned off, or if `httpFallback` gives a reason.
   */
  get serverOptions(): Partial<typeof FAST_CLASSES> {
    return isTurnedOff(this.config) || whyNotFast() !== undefined ? {} : FAST_CLASSES;
  }

  /** Why Node's own request and response classes are used although nobody has turned the faster ones off. */
  get httpFallback(): string | undefined {
    return isTurnedOff(this.config) ? undefined : whyNotFast();
  }

  /** Whether requests run inside `ctxStorage`. */
  get #tracksContext(): boolean {
    return this.config?.['asyncContext'] !== false;
  }

  /** The AsyncLocalStorage that holds the context of the request that is being handled. */
  get ctxStorage(): AsyncLocalStorage<Context> {
    return this[SELF].#storage;
  }

  /** The context of the request that is being handled; undefined outside one, and when `config.asyncContext` is false. */
  get currentContext(): Context | undefined {
    return this[SELF].#storage.getStore();
  }

  /**
   * Emits an event as usual. An `error` with a context runs its listeners inside that context: a socket or a stream
   * reports its error outside of the request that it belongs to.
   */
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    const ctx = args[1] as Context | undefined;
    if (event !== 'error' || !ctx?.app || !this[SELF].#tracksContext || this.currentContext === ctx) {
      return super.emit(event, ...args);
    }
    return this[SELF].#storage.run(ctx, () => super.emit(event, ...args));
  }

  /** Runs `scope` with `ctx` as `currentContext`. */
  protected runInContext<T>(ctx: Context, scope: () => T): T {
    return this[SELF].#storage.run(ctx, scope);
  }

  /** Runs the middleware and responds; `ctx.onerror` responds to an error. */
  override handleRequest(ctx: Context, run: Composed): Promise<void> {
    return handleRequest(ctx, run);
  }

  override createContext(req: IncomingMessage, res: ServerResponse): Context {
    const self = this[SELF];
    self.#createContext ??= contextFactory(self);
    return self.#createContext(req, res);
  }

  /** @returns for a generator function an async one that does the same, anything else as it is */
  toAsyncFunction<T>(fn: T): T {
    return toAsyncFunction(fn);
  }

  /** Resolves promises, generators, and objects and arrays of them. */
  async toPromise(value: unknown): Promise<unknown> {
    return toPromise(value);
  }

  /** Registers a task that must end before the app is ready. Prefer `didLoad`. */
  beforeStart(task: () => unknown, name?: string): void {
    const site = userFrame() ?? 'anonymous';
    this.lifecycle.registerBeforeStart(task, name || site, site);
  }

  /** @returns the function that ends the task; ready waits for it */
  readyCallback(name: string, options?: TaskOptions): (error?: unknown) => void {
    return this.lifecycle.readyCallback(name, userFrame() ?? 'anonymous', options);
  }

  /** Registers a function that `close()` runs, in reverse order of registration. */
  beforeClose(closer: () => unknown): void {
    this.lifecycle.registerBeforeClose(closer);
  }

  /**
   * Without an argument, returns a promise that settles once the app is ready or its boot has failed. A function is called
   * then; true or an Error settles the state.
   */
  ready(): Promise<void>;
  ready(argument: ReadyArgument): this;
  ready(argument?: ReadyArgument): Promise<void> | this {
    const state = this.lifecycle.readyState;
    if (argument === undefined) return state.promise();
    if (typeof argument === 'function') state.whenSettled(toAsyncFunction(argument));
    else if (argument !== false) state.settle(argument === true ? undefined : argument);
    return this;
  }

  /** Runs the `beforeClose` hooks and registered functions in reverse order, then emits `close`. */
  async close(): Promise<void> {
    await this.lifecycle.close();
    this.emit('close');
    this.removeAllListeners();
  }

  /** Where plugins print before there is a logger. */
  get console(): Console {
    return leveledConsole();
  }

  /** Warns with the file that uses something that will go away; Node's `--no-deprecation` turns it off. */
  deprecate(message: string): void {
    process.emitWarning(`${message} (${userFrame() ?? this.name})`, 'DeprecationWarning');
  }

  /** @returns the path of a named route, `''` for an unknown name */
  url(name: string, params?: unknown): string {
    return this.router.url(name, params);
  }
}

const DELEGATED = [
  'head',
  'get',
  'put',
  'patch',
  'post',
  'delete',
  'del',
  'all',
  'resources',
  'redirect',
  'register',
] as const;

/** Route methods on the app itself; each returns the app. */
export interface ClutchCore
  extends Record<Exclude<(typeof DELEGATED)[number], 'register' | 'redirect'>, RouteVerb<ClutchCore>> {
  redirect(source: string, destination: string, status?: number): ClutchCore;
  register(path: string | RegExp, methods: string[], handlers: Middleware | Middleware[], options?: object): ClutchCore;
}

for (const method of DELEGATED) {
  Object.defineProperty(ClutchCore.prototype, method, {
    configurable: true,
    writable: true,
    value(this: ClutchCore, ...args: unknown[]) {
      (this.router[method as 'get'] as (...list: unknown[]) => unknown).apply(this.router, args);
      return this;
    },
  });
}

Object.defineProperty(ClutchCore.prototype, CORE, { value: true });

// Koa's `listen`, with `serverOptions`; Koa's types declare it.
Object.defineProperty(ClutchCore.prototype, 'listen', {
  configurable: true,
  writable: true,
  value(this: ClutchCore, ...args: [number]) {
    const server = createServer(this.serverOptions, this.callback());
    // As in a worker: the app responds to errors of connections, and accepts web sockets.
    if (this.listenerCount('server') > 0) this.emit('server', server);
    this.beforeClose(() => {
      this.emit('draining');
      return closeServer(server);
    });
    return server.listen(...args);
  },
});
