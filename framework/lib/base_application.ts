import type { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { HttpClientResponse } from 'urllib';
import { ClutchCore, type Context, type CoreOptions, SELF } from '../../core/index.js';
import { toError } from '../../errors.js';
import type { LeaderInfo } from '../../ipc/socket_path.js';
import type { ClusterClientOptions } from '../../leader/client_types.js';
import type { ClusterClientBuilder, ClusterClients } from '../../leader/cluster_clients.js';
import { AsyncConfigError, type Loader } from '../../loader/index.js';
import { loadBuiltIn } from './built_in.js';
import { FrameworkController } from './controller.js';
import { FRAMEWORK_DIR } from './framework_dir.js';
import { anonymousExchange } from './http/anonymous_exchange.js';
import { RefusalLog } from './http/refusal_log.js';
import { ContextHttpClient } from './httpclient/context_http_client.js';
import type { CurlOptions, FetchOptions, HttpClient } from './httpclient/http_client.js';
import type { HttpClientOptions } from './httpclient/options.js';
import { HeldLog } from './logger/held_log.js';
import type { LogContext } from './logger/line_format.js';
import { type Logger, RequestLogger } from './logger/logger.js';
import { type LoggerConfig, Loggers } from './logger/loggers.js';
import { ipcTransport, type LocalBus } from './messenger/message_transport.js';
import { Messenger } from './messenger/messenger.js';
import { warnOfConfusedKeys, warnOfMisspeltKeys } from './reports/config_names.js';
import { configToObject, writeJson, writeRunFiles, writeTimeline } from './reports/run_files.js';
import { warnOfSlowSteps } from './reports/slow_boot.js';
import { UnhandledRejections } from './reports/unhandled_rejections.js';
import { warnOfUnusedFiles } from './reports/unused_files.js';
import { type CreateClient, Singleton } from './singleton.js';

const require = createRequire(import.meta.url);

/** Milliseconds from ready until config is checked for misspelt keys and `run/` is written: the first requests come before that. */
const DUMP_DELAY = 200;

export interface ApplicationOptions extends CoreOptions {
  /** `single` for Agent and Application in one process; default `cluster`. */
  mode?: 'cluster' | 'single';
  /** Connects Agent and Application in single mode. */
  localBus?: LocalBus;
  /** How a Follower finds and a Leader knows the others; given by the Master. */
  leader?: LeaderInfo;
  /** A port that was free when the cluster started; given by the Master. */
  clusterPort?: number;
}

/** What Agent and Application have in common. Config and all files are loaded when the constructor returns. */
export abstract class BaseApplication extends ClutchCore {
  declare readonly options: ClutchCore['options'] & ApplicationOptions;
  // Assigned, not defined, so that a subclass may intercept it: Egg's test kit has a setter of this name.
  declare readonly messenger: Messenger;
  override readonly BaseContextClass: typeof FrameworkController = FrameworkController;
  override readonly Controller: typeof FrameworkController = FrameworkController;
  override readonly Service: typeof FrameworkController = FrameworkController;
  readonly Subscription: typeof FrameworkController = FrameworkController;
  #clusterClients: ClusterClients | undefined;
  readonly #singletons: Singleton[] = [];
  /** The class of `ctx.httpclient`; an app may replace it by one of its own. */
  ContextHttpClient: typeof ContextHttpClient = ContextHttpClient;
  /** The class of `ctx.logger` and the like; an app may replace it by one of its own. */
  ContextLogger: typeof RequestLogger = RequestLogger;
  #HttpClient: typeof HttpClient | undefined;
  #httpclient: HttpClient | undefined;
  readonly #httpClients: HttpClient[] = [];
  #loggers: Loggers | undefined;
  #dumpTimer: NodeJS.Timeout | undefined;
  readonly #rejections: UnhandledRejections;
  readonly #refusals = new RefusalLog((line) => this.logger.warn(line));

  constructor(options: ApplicationOptions = {}) {
    super(options);
    loadBuiltIn(this.type === 'agent' ? 'agent' : 'app');
    this.#loadConfig();
    const onError = (error: Error): void => this.coreLogger.error(error);
    const side = this.type === 'agent' ? 'agent' : 'app';
    this.messenger = new Messenger(options.localBus?.transport(side) ?? ipcTransport(onError), { side, onError });
    this.messenger.once('egg-ready', () => this.lifecycle.triggerServerDidReady());
    this.messenger.on('log-reload', () => this.loggers.reload());
    if (this.type === 'application') this.messenger.on('egg-pids', ([id]: number[]) => this.#onAgentId(id));
    this.#rejections = new UnhandledRejections({
      isReported: (reason) => this.#isReported(reason),
      log: (error) => this.coreLogger.error(error),
    });
    // Registered first, so it runs last: hooks may log and send until the end, also to the Agent in single mode.
    this.beforeClose(async () => {
      try {
        await (this as { agent?: BaseApplication }).agent?.close();
        this.#dumpNow();
        await Promise.all([...this.#singletons, ...this.#httpClients].map((client) => client.close()));
        await this.#clusterClients?.close();
      } finally {
        this.messenger.close();
        this.releaseRejections();
        this.#loggers?.close();
      }
    });
    this.on('error', (error: unknown, ctx?: Context) => {
      this.#muteBootError(error);
      this.#logUnhandled(error, ctx);
    });
    this.on('ready_timeout', (name: string, after: number) =>
      this.coreLogger.warn('[clutch] %s seconds later %s was still unable to finish.', after / 1000, name),
    );
    this.lifecycle.readyState.onSettled(() => {
      if (this.#logger.disableConsoleAfterReady) this.loggers.disableConsole();
    });
  }

  /**
   * Shares one client of a class among all processes: the real one is in the Agent, the others reach it directly.
   * To be called in the Agent and in app workers alike.
   */
  cluster<T, A extends unknown[]>(
    Class: new (...args: A) => T,
    options?: ClusterClientOptions,
  ): ClusterClientBuilder<T, A> {
    return this[SELF].#sharedClients().builder(Class, options);
  }

  /** Made at first use: most apps share no client. */
  #sharedClients(): ClusterClients {
    const { clusterClientsOf } = require('../../leader/clients_of.js') as typeof import('../../leader/clients_of.js');
    return (this[SELF].#clusterClients ??= clusterClientsOf(this, (error) => this.coreLogger.error(error)));
  }

  /**
   * Adds `app[name]`: the client of `config[name].client`, or the clients of `config[name].clients` by id.
   * They are closed after all `beforeClose` hooks if they have close(), quit(), end() or destroy().
   *
   * @param create makes a client from its config; the app waits for it if it returns a promise
   * @throws {ClutchError} ERR_CLUTCH_DUPLICATE, ERR_CLUTCH_CONFIG
   */
  addSingleton<C, T>(name: string, create: CreateClient<this, C, T>): void {
    const singleton = new Singleton<T, C>(this, name, create);
    singleton.init();
    this[SELF].#singletons.push(singleton as unknown as Singleton);
  }

  /** The class of `httpclient`, loaded at first use; an app may replace it by one of its own. */
  get HttpClient(): typeof HttpClient {
    this[SELF].#HttpClient ??= (
      require('./httpclient/http_client.js') as typeof import('./httpclient/http_client.js')
    ).HttpClient;
    return this[SELF].#HttpClient;
  }

  set HttpClient(Class: typeof HttpClient) {
    this[SELF].#HttpClient = Class;
  }

  /** The HTTP client of this app, made at first use from `config.httpclient`. */
  get httpclient(): HttpClient {
    return (this[SELF].#httpclient ??= this.createHttpClient());
  }

  get httpClient(): HttpClient {
    return this.httpclient;
  }

  /** Makes one more client, with connections of its own; it is closed with the app. */
  createHttpClient(options?: HttpClientOptions): HttpClient {
    const client = new this.HttpClient(this, options);
    this[SELF].#httpClients.push(client);
    return client;
  }

  /** Sends an HTTP request through `httpclient`. */
  curl<T = unknown>(url: string | URL, options?: CurlOptions): Promise<HttpClientResponse<T>> {
    return this.httpclient.request<T>(url, options);
  }

  /** The standard `fetch`, through the connections of `httpclient`. */
  fetch(url: string | URL, options?: FetchOptions): Promise<Response> {
    return this.httpclient.fetch(url, options);
  }

  protected override get loaderLogger(): HeldLog {
    return new HeldLog();
  }

  #releaseLoaderLog(log: Parameters<HeldLog['release']>[0]): void {
    const { logger } = this.loader.options;
    if (logger instanceof HeldLog) logger.release(log);
  }

  #loadConfig(): void {
    try {
      this.loader.loadConfig();
    } catch (error) {
      // With async config functions, the load is done again and reports then.
      if (!(error instanceof AsyncConfigError)) this.#releaseLoaderLog(this.console);
      throw error;
    }
  }

  #onAgentId(id: number | null | undefined): void {
    const { leader } = this.options;
    if (!leader || id === undefined || id === null || id === leader.agent) return;
    leader.agent = id;
    this.#clusterClients?.agentChanged();
  }

  /** Loads all files; called by the constructors of the classes below, once their own fields are there. */
  protected loadFiles(): void {
    try {
      (this.loader as Loader & { load(): void }).load();
    } catch (error) {
      this.#releaseLoaderLog(this.coreLogger);
      // Gives back listeners and timers of what was already set up; the caller gets the error.
      this.lifecycle.abandon(toError(error));
      this.close().catch((closing: unknown) => this.coreLogger.error(closing));
      // In single mode the error may end as an unhandled rejection of the caller's, which Node reports.
      if (this.options.mode === 'single') this.releaseRejections();
      throw error;
    }
    warnOfConfusedKeys(this);
    this.#releaseLoaderLog(this.coreLogger);
    warnOfUnusedFiles(this);
    this.lifecycle.limitBoot(this.config.workerStartTimeout);
    this.lifecycle.readyState.onSettled((error) => {
      warnOfSlowSteps(this);
      this.timing.disable();
      if (this.lifecycle.isClosing) return;
      // Hooks may have changed config; serving comes before writing about it.
      if (error) this.#reportConfig();
      else this.#dumpTimer = setTimeout(() => this.#dumpNow(), DUMP_DELAY);
    });
  }

  #dumpNow(): void {
    if (!this.#dumpTimer) return;
    clearTimeout(this.#dumpTimer);
    this.#dumpTimer = undefined;
    this.#reportConfig();
  }

  #reportConfig(): void {
    warnOfMisspeltKeys(this);
    this.dumpConfig();
  }

  /** @returns what `dumpConfig` writes of the config: with plugins, and the file behind each leaf; secrets are masked */
  dumpConfigToObject(): ReturnType<typeof configToObject> {
    return configToObject(this);
  }

  /** Writes config, its sources and the boot timeline to `config.rundir`; a failure is logged only. */
  dumpConfig(): void {
    this[SELF].#tolerateWriteError(() => writeRunFiles(this));
  }

  /** Writes the boot timeline to `config.rundir`, as JSON and as a trace for chrome://tracing. */
  dumpTiming(): void {
    this[SELF].#tolerateWriteError(() => writeTimeline(this));
  }

  /** Writes one file to `config.rundir`, as JSON. */
  protected writeRunFile(name: string, content: () => unknown): void {
    const rundir = this.config.rundir;
    this[SELF].#tolerateWriteError(() => writeJson(path.join(rundir, name), content()));
  }

  /** A directory that cannot be written must not keep an app from serving. */
  #tolerateWriteError(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.coreLogger.warn('[clutch] cannot write to config.rundir: %s', (error as Error).message);
    }
  }

  get #logger(): LoggerConfig {
    return this.config.logger;
  }

  /** Logs `error` events until plugin `onerror`, or the one in its place, listens for them. */
  #logUnhandled(thrown: unknown, ctx: Context | undefined): void {
    if (this.plugins['onerror'] && this.listenerCount('error') > 1) return;
    const error = toError(thrown);
    if (ctx && this.#refusals.take(error, ctx)) return;
    const logger = this.type === 'agent' ? this.coreLogger : this.logger;
    logger.error(error);
  }

  get loggers(): Loggers {
    return (this[SELF].#loggers ??= new Loggers(
      this.config,
      this.type,
      () => this.currentContext as LogContext | undefined,
      this.loader.masker,
    ));
  }

  get logger(): Logger {
    return this.loggers.logger;
  }

  get coreLogger(): Logger {
    return this.loggers.coreLogger;
  }

  getLogger(name: string): Logger | null {
    return this.loggers.get(name) ?? null;
  }

  /** Each class of the chain names its directory; this one belongs to the framework as well. */
  get [Symbol.for('egg#eggPath')](): string {
    return FRAMEWORK_DIR;
  }

  /** A context around a made-up request, for work outside of one. */
  createAnonymousContext(req: Partial<IncomingMessage> & Record<string, unknown> = {}): Context {
    const { request, response } = anonymousExchange(req);
    return this.createContext(request, response);
  }

  /** Runs `scope` with a context of its own as `currentContext`. */
  runInAnonymousContextScope<T>(scope: (ctx: Context) => T, req?: Record<string, unknown>): T {
    const ctx = this.createAnonymousContext(req);
    return this.runInContext(ctx, () => scope(ctx));
  }

  #isReported(reason: unknown): boolean {
    // In single mode both listen, and the Application is the one that logs.
    if (this.type === 'agent' && (this as { application?: unknown }).application) return true;
    const { interruption, readyState } = this.lifecycle;
    return (reason === interruption && !!interruption) || isCauseOf(toError(reason), readyState.error);
  }

  /** Stops handling unhandled rejections: from now on Node ends the process on one. */
  releaseRejections(): void {
    this[SELF].#rejections.release();
  }

  /** Whether an error was already logged as an unhandled rejection. */
  isLogged(error: Error): boolean {
    return this[SELF].#rejections.has(error);
  }

  /** A caller that awaits ready receives the boot's error and prints it, so here it goes to the log files only. */
  #muteBootError(error: unknown): void {
    const { readyState } = this.lifecycle;
    if (error === undefined || readyState.error !== error) return;
    if (readyState.isAwaited || this.isLogged(error as Error)) this.loggers.disableConsole();
  }

  override toJSON(): Record<string, unknown> {
    const { name, baseDir, subdomainOffset } = this;
    // Named, not read: some of them are made when they are read.
    const members = SUMMARIZED.filter((key) => key in this).map((key) => [key, `<egg ${key}>`]);
    return { env: this.config.env, name, baseDir, subdomainOffset, ...Object.fromEntries(members) };
  }

  override inspect(): Record<string, unknown> {
    return this.toJSON();
  }
}

/** Members that `toJSON` only names. */
const SUMMARIZED = ['config', 'controller', 'httpclient', 'loggers', 'middlewares', 'router', 'serviceClasses'];

// Koa's constructor sets them; here they are those of config, which hooks may still change.
for (const key of ['env', 'proxy']) {
  Object.defineProperty(BaseApplication.prototype, key, {
    get(this: BaseApplication) {
      return this.config?.[key] as unknown;
    },
    set() {},
  });
}

function isCauseOf(error: Error, failure: unknown): boolean {
  for (let each = failure; each instanceof Error; each = each.cause) if (each === error) return true;
  return false;
}
