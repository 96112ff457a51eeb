import { readable, refusal } from '../../errors.js';
import { traceRequestError } from '../tracing/traced_request.js';
import type { Context } from '../types.js';

/** Throws what `ctx.throw()` throws, marked as a refusal of what the client has sent. Only for built-in code. */
export function refuse(ctx: Context, status: number, message?: string, props: object = {}): never {
  try {
    return message === undefined ? ctx.throw(status) : ctx.throw(status, message, props);
  } catch (error) {
    throw refusal(error as Error);
  }
}

/**
 * Responds to whatever the middleware threw, through `ctx.onerror`. Koa does not respond if null, undefined or an object that cannot
 * be read was thrown, and the client waits for ever: here they are errors like any other.
 */
export function fail(ctx: Context, error: unknown): void {
  traceRequestError(ctx, error);
  respondToFailure(ctx, (readable(error) ?? new Error(`non-error thrown: ${String(error)}`)) as Error);
}

/** If `onerror` throws, the connection is closed, so that no client waits for a response, and that error is reported as well. */
export function respondToFailure(ctx: Context, error: Error): void {
  try {
    ctx.onerror(error);
  } catch (failed) {
    ctx.res.destroy();
    report(ctx, failed);
  }
}

function report(ctx: Context, failed: unknown): void {
  try {
    ctx.app.emit('error', failed, ctx);
  } catch (again) {
    process.emitWarning(`a listener for errors failed: ${String(again)}`, 'ClutchWarning');
  }
}
