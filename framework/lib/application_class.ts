import type { Server, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type Keygrip from 'keygrip';
import {
  type ApplicationExtension,
  type Composed,
  type Context,
  contextOf,
  contextOn,
  type IController,
  type IMiddleware,
  type MatchedRoute,
  routeOf,
  SELF,
} from '../../core/index.js';
import { ClutchError, refusal } from '../../errors.js';
import { AppWorkerLoader } from '../../loader/index.js';
import { reveal } from '../../output/secrets.js';
import { type ApplicationOptions, BaseApplication } from './base_application.js';
import { loadBuiltIn } from './built_in.js';
import { FrameworkController } from './controller.js';
import { FRAMEWORK_DIR } from './framework_dir.js';
import { respondToClientError } from './http/client_error.js';
import { CookieCipher, eggFormatOf } from './http/cookie_cipher.js';
import { CookieLimitExceedError } from './http/cookie_limit.js';
import type { ContextCookies } from './http/cookies.js';
import { limitUpload, waitForUpload } from './http/end_response.js';
import { describeRoutes, type ReportTopic, reportApp } from './reports/app_report.js';
import type { Helper } from './types.js';

const require = createRequire(import.meta.url);

declare module '../../core/types.js' {
  interface FrameworkTypes {
    application: Application;
  }
}

export interface Application extends ApplicationExtension {
  controller: IController;
  /** Factories of all loaded middleware, by name. */
  middlewares: IMiddleware;
  /** The middleware in use; factories of loaded middleware are its members: `app.middleware.gzip(options)`. */
  middleware: BaseApplication['middleware'] & IMiddleware;
}

/** The application of an app worker: Koa with everything that the load units define. */
export class Application extends BaseApplication {
  /** The HTTP server, from the `server` event on. */
  server: Server | null = null;
  /** The class of `ctx.helper`; made at first use because extend files add to it while the app is constructed. */
  #Helper: (new (ctx: Context) => Helper) | undefined;
  #locals: Record<string, unknown> | undefined;
  #keygrip: Keygrip | undefined;
  #ContextCookies: typeof ContextCookies | undefined;
  #cookieCipher: CookieCipher | undefined;
  #fallbackLogged = false;

  static override warmUp(): void {
    BaseApplication.warmUp();
    loadBuiltIn('app');
  }

  constructor(options: ApplicationOptions = {}) {
    options.type = 'application';
    super(options);
    // For the admin page, when somebody looks at it.
    this.messenger.onRequest('clutch-report', ({ topic, key }: { topic: ReportTopic; key?: string }) =>
      this.report(topic, key),
    );
    this.once('server', (server: Server) => this.#onServer(server));
    this.on('cookieLimitExceed', ({ name, value, ctx }: { name: string; value: string; ctx: Context }) => {
      ctx.coreLogger.error(new CookieLimitExceedError(name, value.length));
    });
    this.loadFiles();
    if (this.config.logger.enablePerformanceTimer) this.#timePrecisely();
    eggFormatOf(this.config.cookies?.eggFormat);
  }

  #timePrecisely(): void {
    const createContext = this.createContext.bind(this);
    this.createContext = (req, res) =>
      Object.assign(createContext(req, res), { performanceStarttime: performance.now() });
  }

  get [Symbol.for('egg#eggPath')](): string {
    return FRAMEWORK_DIR;
  }

  get [Symbol.for('egg#loader')](): typeof AppWorkerLoader {
    return AppWorkerLoader;
  }

  get Helper(): new (
    ctx: Context,
  ) => Helper {
    // Its methods come from the extend files of the load units.
    this[SELF].#Helper ??= class Helper extends FrameworkController {} as new (ctx: Context) => Helper;
    return this[SELF].#Helper;
  }

  /** Values that `ctx.locals` starts from; assigning merges. */
  get locals(): Record<string, unknown> {
    return (this[SELF].#locals ??= {});
  }

  set locals(values: Record<string, unknown>) {
    Object.assign(this.locals, values);
  }

  /**
   * The keys that sign cookies, from `config.keys`.
   *
   * @throws {ClutchError} ERR_CLUTCH_CONFIG when there are none
   */
  get keys(): string[] {
    const keys = reveal(this.config.keys);
    const list = typeof keys === 'string' ? keys.split(',').map((key) => key.trim()) : [];
    if (list.length > 0 && list[0] !== '') return list;
    throw new ClutchError('ERR_CLUTCH_CONFIG', 'Please set config.keys first', {
      where: 'config.keys signs and encrypts cookies',
      fix: 'Add a long random text as keys to config/config.default.',
    });
  }

  set keys(_ignored: string[]) {
    // Koa lets one assign keys; here they come from config.
  }

  /** Signs cookies as Egg does: HMAC-SHA256 with the first key, older keys still verify. */
  get keygrip(): Keygrip {
    if (!this[SELF].#keygrip) {
      const KeygripOf = require('keygrip') as typeof Keygrip;
      this[SELF].#keygrip = new KeygripOf(this.keys, 'sha256', 'base64');
    }
    return this[SELF].#keygrip;
  }

  /** The class of `ctx.cookies`, loaded with the first cookie; an app may replace it by one of its own. */
  get ContextCookies(): typeof ContextCookies {
    this.#ContextCookies ??= (require('./http/cookies.js') as typeof import('./http/cookies.js')).ContextCookies;
    return this.#ContextCookies;
  }

  set ContextCookies(Class: typeof ContextCookies) {
    this.#ContextCookies = Class;
  }

  /**
   * Encrypts cookies with `keys`.
   *
   * @throws {ClutchError} ERR_CLUTCH_CONFIG
   */
  get cookieCipher(): CookieCipher {
    return (this[SELF].#cookieCipher ??= new CookieCipher(this.keys, eggFormatOf(this.config.cookies?.eggFormat)));
  }

  #onServer(server: Server): void {
    this.server = server;
    const timeout = this.config.serverTimeout;
    if (typeof timeout === 'number') server.setTimeout(timeout);
    server.on('clientError', (error, socket) => {
      void respondToClientError(this, error, socket as Socket, contextOn(socket as Socket)?.res);
    });
  }

  /** Warns, once, if Node's own request and response classes are used although nobody has turned the faster ones off. */
  override get serverOptions(): BaseApplication['serverOptions'] {
    const reason = this.httpFallback;
    if (reason !== undefined && !this[SELF].#fallbackLogged) {
      this[SELF].#fallbackLogged = true;
      this.coreLogger.warn("[clutch] Node's own HTTP classes are used, not the faster ones: %s", reason);
    }
    return super.serverOptions;
  }

  /** Runs `task` after what is under way, with a context of its own; its error is an `error` event. */
  runInBackground(task: (ctx: Context) => unknown, req?: Record<string, unknown>): void {
    this.runInAnonymousContextScope((ctx) => ctx.runInBackground(task), req);
  }

  override dumpConfig(): void {
    super.dumpConfig();
    this.writeRunFile('router.json', () => describeRoutes(this.router));
  }

  /** Describes what the app is made of, for the commands `clutch config`, `plugins`, `middleware` and `routes`. */
  report(topic: ReportTopic, key?: string): unknown {
    return reportApp(this, topic, key);
  }

  override handleRequest(ctx: Context, run: Composed): Promise<void> {
    if (!isParsable(ctx)) return this.#refuseTarget(ctx);
    if (!ctx.res.shouldKeepAlive) waitForUpload(ctx);
    else if (ctx.req.method !== 'GET') limitUpload(ctx);
    if (this.listenerCount('request') > 0) this.emit('request', ctx);
    if (this.listenerCount('response') > 0) ctx.res.once('close', () => this.emit('response', ctx));
    return super.handleRequest(ctx, run);
  }

  /**
   * @param res the response to a request
   * @returns the route that the request has taken; undefined if the router has not come so far, or found none
   */
  routeOf(res: ServerResponse): MatchedRoute | undefined {
    const ctx = contextOf(res);
    return ctx && routeOf(ctx);
  }

  /** @returns the path of the route that a request would take, for example `/users/:id`; undefined if there is none */
  routeFor(method: string, path: string): string | undefined {
    const { pathAndMethod, route } = this.router.match(path, method);
    const layer = route ? pathAndMethod.findLast(({ methods }) => methods.length > 0) : undefined;
    return layer && String(layer.path);
  }

  #refuseTarget(ctx: Context): Promise<void> {
    // The error response reads the path as well, which must not fail a second time.
    ctx.req.url = '/';
    ctx.onerror(refusal(Object.assign(new Error('invalid request target'), { status: 400, expose: true })));
    return Promise.resolve();
  }
}

/** Whether Koa can parse the request target. One that begins with a slash always can be; an absolute URL may be invalid. */
function isParsable({ req, request }: Context): boolean {
  if ((req.url as string).charCodeAt(0) === 0x2f) return true;
  try {
    return typeof request.path === 'string';
  } catch {
    return false;
  }
}
