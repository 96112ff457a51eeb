import type { Context } from '../../../core/index.js';
import { toError } from '../../../errors.js';
import { defineExtend } from '../../lib/define_extend.js';
import type { ContextCookies } from '../../lib/http/cookies.js';
import type { ContextHttpClient } from '../../lib/httpclient/context_http_client.js';
import type { CurlOptions, FetchOptions } from '../../lib/httpclient/http_client.js';

import type { Logger, RequestLogger } from '../../lib/logger/logger.js';
import type { Helper } from '../../lib/types.js';

const COOKIES = Symbol('ctx.cookies');
const CORE_LOGGER = Symbol('ctx.coreLogger');
const HELPER = Symbol('ctx.helper');
const HTTP_CLIENT = Symbol('ctx.httpclient');
const LOGGER = Symbol('ctx.logger');
const LOCALS = Symbol('ctx.locals');
const ROUTER = Symbol('ctx.router');

type Values = Record<string, unknown>;

/** A context with what is made at first use. */
interface Own extends Context {
  [COOKIES]?: ContextCookies;
  [CORE_LOGGER]?: RequestLogger | Logger;
  [HELPER]?: Helper;
  [HTTP_CLIENT]?: ContextHttpClient;
  [LOGGER]?: RequestLogger | Logger;
  [LOCALS]?: Values;
  [ROUTER]?: Context['router'];
}

/** The loggers of the app find the request by themselves; `enableFastContextLogger` has them used as they are. */
function ofRequest(ctx: Context, logger: Logger): RequestLogger | Logger {
  const { app } = ctx;
  return app.config.logger.enableFastContextLogger ? logger : new app.ContextLogger(ctx, logger);
}

export default defineExtend<Own>({
  get cookies(): ContextCookies {
    return (this[COOKIES] ??= new this.app.ContextCookies(this));
  },

  set cookies(value: ContextCookies) {
    this[COOKIES] = value;
  },

  get router(): Context['router'] {
    return this[ROUTER] ?? this.app.router;
  },

  set router(value: Context['router']) {
    this[ROUTER] = value;
  },

  get helper(): Helper {
    return (this[HELPER] ??= new this.app.Helper(this));
  },

  get httpclient(): ContextHttpClient {
    return (this[HTTP_CLIENT] ??= new this.app.ContextHttpClient(this));
  },

  get httpClient(): ContextHttpClient {
    return this.httpclient;
  },

  fetch(url: string | URL, options?: FetchOptions): Promise<Response> {
    return this.httpclient.fetch(url, options);
  },

  curl(url: string | URL, options?: CurlOptions): ReturnType<ContextHttpClient['curl']> {
    return this.httpclient.curl(url, options);
  },

  get logger(): RequestLogger | Logger {
    return (this[LOGGER] ??= ofRequest(this, this.app.logger));
  },

  get coreLogger(): RequestLogger | Logger {
    return (this[CORE_LOGGER] ??= ofRequest(this, this.app.coreLogger));
  },

  getLogger(name: string): RequestLogger | Logger | null {
    const logger = this.app.getLogger(name);
    return logger && ofRequest(this, logger);
  },

  get locals(): Values {
    return (this[LOCALS] ??= { ...this.app.locals });
  },

  set locals(values: Values) {
    Object.assign(this.locals, values);
  },

  get state(): Values {
    return this.locals;
  },

  set state(values: Values) {
    this.locals = values;
  },

  get acceptJSON(): boolean {
    return this.request.acceptJSON;
  },

  get queries(): Record<string, string[]> {
    return this.request.queries;
  },

  get realStatus(): number {
    return this.response.realStatus;
  },

  set realStatus(status: number) {
    this.response.realStatus = status;
  },

  set ip(value: string) {
    this.request.ip = value;
  },

  runInBackground(scope: (ctx: Context) => unknown): void {
    void this._runInBackground(scope);
  },

  /** Egg's test kit replaces `runInBackground`, to wait for the promise that this one returns. It never rejects. */
  async _runInBackground(scope: (ctx: Context) => unknown): Promise<void> {
    const { app } = this;
    const name = (scope as { _name?: string })._name ?? scope.name;
    await new Promise((resolve) => setImmediate(resolve));
    const start = Date.now();
    try {
      await app.toAsyncFunction(scope)(this);
      app.coreLogger.info('[background] %s succeeded in %sms', name, Date.now() - start);
    } catch (thrown) {
      app.coreLogger.info('[background] %s failed after %sms', name, Date.now() - start);
      const error = toError(thrown);
      if (Object.isExtensible(error)) Object.assign(error, { runInBackground: true });
      app.emit('error', error, this);
    }
  },
});
