import type { Context } from '../../core/index.js';
import { isRefusal, toError } from '../../errors.js';
import type { Application } from '../../framework/index.js';
import { LogLimiter } from '../../output/log_limiter.js';
import type { HttpError } from './lib/client_error_view.js';

export default class OnerrorBoot {
  readonly #app: Application;
  /** By the name of the error: a flood of one kind hides no other kind. Names of refusals are few. */
  readonly #limiters = new Map<string, LogLimiter>();

  constructor(app: Application) {
    this.#app = app;
  }

  configDidLoad(): void {
    this.#app.on('error', (error: unknown, ctx?: Context) => this.#log(toError(error), ctx));
  }

  #log(error: HttpError, given?: Context): void {
    const app = this.#app;
    const ctx = given ?? app.currentContext;
    const filter = app.config.onerror?.appErrorFilter;
    if (filter && !filter(error, ctx ?? app.createAnonymousContext())) return;
    if (ctx && hasLeftMidway(error, ctx)) {
      ctx.logger.debug(
        '%s: the client has left before the response to %s %s was sent',
        error.name,
        ctx.method,
        ctx.path,
      );
      return;
    }
    if (ctx && (isRefusal(error) || isOfConnection(error, ctx))) {
      this.#count(error, ctx);
      return;
    }
    const { status } = error;
    const isFault = typeof status !== 'number' || status < 200 || status >= 500;
    (ctx ?? app).logger[isFault ? 'error' : 'warn'](error);
  }

  /** Logs one line, or only counts it. */
  #count({ name, message, status = 'no response' }: HttpError, ctx: Context): void {
    let limiter = this.#limiters.get(name);
    if (!limiter) {
      limiter = new LogLimiter((line) => this.#app.logger.warn(line));
      this.#limiters.set(name, limiter);
    }
    const request = `${ctx.method} ${ctx.path.slice(0, 200)} from ${ctx.ip.slice(0, 50)}`;
    limiter.log(`${name}: ${message.slice(0, 200)} (${status}, ${request})`.replace(/\p{Cc}+/gu, ' '));
  }
}

/** Whether the client has left a response that had begun: downloads are aborted all the time, and nobody can do anything about it. */
function hasLeftMidway(error: HttpError, ctx: Context): boolean {
  const { req, res } = ctx;
  if (!res.headersSent || res.writableFinished || req.socket?.destroyed !== true) return false;
  return error.code === 'ERR_STREAM_PREMATURE_CLOSE' || isOfConnection(error, ctx);
}

/** Whether the client has left: Node then fails the request or the connection with this error, which may reach the app. */
function isOfConnection(error: Error, { req }: Context): boolean {
  return error === req.errored || error === req.socket?.errored;
}
