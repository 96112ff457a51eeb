import { createRequire } from 'node:module';
import type { Context } from '../../../core/index.js';
import type { Application } from '../../lib/application_class.js';
import type { ContextCookies } from '../../lib/http/cookies.js';
import type { ContextHttpClient } from '../../lib/httpclient/context_http_client.js';
import type { CurlOptions } from '../../lib/httpclient/http_client.js';
import type { LogContext } from '../../lib/logger/line_format.js';
import { RequestLogger } from '../../lib/logger/logger.js';

const require = createRequire(import.meta.url);
const COOKIES = Symbol('ctx.cookies');
const CORE_LOGGER = Symbol('ctx.coreLogger');
const HELPER = Symbol('ctx.helper');
const HTTP_CLIENT = Symbol('ctx.httpclient');
const LOGGER = Symbol('ctx.logger');
const LOCALS = Symbol('ctx.locals');
const ROUTER = Symbol('ctx.router');

type Fields = Record<symbol, unknown> & { app: Application };
type Values = Record<string, unknown>;

function localsOf(ctx: Fields): Values {
  return (ctx[LOCALS] ??= { ...ctx.app.locals }) as Values;
}

export default {
  get cookies(): ContextCookies {
    const ctx = this as unknown as Fields;
    if (!ctx[COOKIES]) {
      // Loaded with the first cookie.
      const { ContextCookies: Cookies } =
        require('../../lib/http/cookies.js') as typeof import('../../lib/http/cookies.js');
      ctx[COOKIES] = new Cookies(this as unknown as Context);
    }
    return ctx[COOKIES] as ContextCookies;
  },

  set cookies(value: unknown) {
    (this as unknown as Fields)[COOKIES] = value;
  },

  get router(): unknown {
    const ctx = this as unknown as Fields;
    return ctx[ROUTER] ?? ctx.app.router;
  },

  set router(value: unknown) {
    (this as unknown as Fields)[ROUTER] = value;
  },

  get helper(): object {
    const ctx = this as unknown as Fields;
    return (ctx[HELPER] ??= new ctx.app.Helper(this as unknown as Context)) as object;
  },

  get httpclient(): ContextHttpClient {
    const ctx = this as unknown as Fields;
    return (ctx[HTTP_CLIENT] ??= new ctx.app.ContextHttpClient(this as unknown as Context)) as ContextHttpClient;
  },

  get httpClient(): ContextHttpClient {
    return (this as unknown as Context).httpclient;
  },

  curl(url: string | URL, options?: CurlOptions): ReturnType<ContextHttpClient['curl']> {
    return (this as unknown as Context).httpclient.curl(url, options);
  },

  get logger(): RequestLogger {
    const ctx = this as unknown as Fields;
    return (ctx[LOGGER] ??= new RequestLogger(ctx.app.logger, this as unknown as LogContext)) as RequestLogger;
  },

  get coreLogger(): RequestLogger {
    const ctx = this as unknown as Fields;
    return (ctx[CORE_LOGGER] ??= new RequestLogger(ctx.app.coreLogger, this as unknown as LogContext)) as RequestLogger;
  },

  getLogger(name: string): RequestLogger | null {
    const logger = (this as unknown as Fields).app.getLogger(name);
    return logger && new RequestLogger(logger, this as unknown as LogContext);
  },

  get locals(): Values {
    return localsOf(this as unknown as Fields);
  },

  set locals(values: Values) {
    Object.assign(localsOf(this as unknown as Fields), values);
  },

  get state(): Values {
    return localsOf(this as unknown as Fields);
  },

  set state(values: Values) {
    Object.assign(localsOf(this as unknown as Fields), values);
  },

  get acceptJSON(): boolean {
    return (this as unknown as { request: { acceptJSON: boolean } }).request.acceptJSON;
  },

  get queries(): Record<string, string[]> {
    return (this as unknown as { request: { queries: Record<string, string[]> } }).request.queries;
  },

  get realStatus(): number {
    return (this as unknown as { response: { realStatus: number } }).response.realStatus;
  },

  set realStatus(status: number) {
    (this as unknown as { response: { realStatus: number } }).response.realStatus = status;
  },

  runInBackground(scope: (ctx: Context) => unknown): void {
    const ctx = this as unknown as Context;
    const app = ctx.app as unknown as Application;
    const name = (scope as { _name?: string })._name ?? scope.name;
    setImmediate(async () => {
      const start = Date.now();
      try {
        await scope(ctx);
        app.coreLogger.info('[background] %s succeeded in %sms', name, Date.now() - start);
      } catch (error) {
        app.coreLogger.info('[background] %s failed after %sms', name, Date.now() - start);
        Object.assign(error as object, { runInBackground: true });
        app.emit('error', error, ctx);
      }
    });
  },
};
