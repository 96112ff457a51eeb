import type { Context } from '../../../core/index.js';
import { isRefusal } from '../../../errors.js';
import { LogLimiter } from '../../../output/log_limiter.js';

/** Logs what clients cause, which may be a flood: a few lines a minute for each kind of error, without stacks. One that leaves midway is debugging. */
export class RefusalLog {
  readonly #warn: (line: string) => void;
  /** By the name of the error: a flood of one kind hides no other kind. Names of refusals are few. */
  readonly #limiters = new Map<string, LogLimiter>();

  constructor(warn: (line: string) => void) {
    this.#warn = warn;
  }

  /** Logs or counts the error. @returns false if the client is not its cause: then nothing is done */
  take(error: Error & { status?: unknown; code?: unknown }, ctx: Context): boolean {
    if (hasLeftMidway(error, ctx)) {
      const { method, path } = ctx;
      ctx.logger.debug('%s: the client has left before the response to %s %s was sent', error.name, method, path);
      return true;
    }
    if (!isRefusal(error) && !isOfConnection(error, ctx)) return false;
    const { name, message, status = 'no response' } = error;
    let limiter = this.#limiters.get(name);
    if (!limiter) {
      limiter = new LogLimiter(this.#warn);
      this.#limiters.set(name, limiter);
    }
    const request = `${ctx.method} ${ctx.path.slice(0, 200)} from ${ctx.ip.slice(0, 50)}`;
    limiter.log(`${name}: ${message.slice(0, 200)} (${status}, ${request})`.replace(/\p{Cc}+/gu, ' '));
    return true;
  }
}

/** Whether the client has left a response that had begun: downloads are aborted all the time, and nobody can do anything about it. */
function hasLeftMidway(error: Error & { code?: unknown }, ctx: Context): boolean {
  const { req, res } = ctx;
  if (!res.headersSent || res.writableFinished || req.socket?.destroyed !== true) return false;
  return error.code === 'ERR_STREAM_PREMATURE_CLOSE' || isOfConnection(error, ctx);
}

/** Whether the client has left: Node then fails the request or the connection with this error, which may reach the app. */
function isOfConnection(error: Error, { req }: Context): boolean {
  return error === req.errored || error === req.socket?.errored;
}
