import type { Context } from '../types.js';
import { watchConnection } from './connection.js';
import { respond } from './respond.js';

/** Runs the middleware of one request and responds, as Koa's own `handleRequest` does. */
export function handleRequest(ctx: Context, run: (ctx: Context) => Promise<unknown>): Promise<void> {
  ctx.res.statusCode = 404;
  watchConnection(ctx);
  return run(ctx).then(
    () => {
      try {
        respond(ctx);
      } catch (error) {
        fail(ctx, error);
      }
    },
    (error: unknown) => fail(ctx, error),
  );
}

/** Koa does not respond if null or undefined was thrown, and the client waits for ever: here it is an error like any other. */
function fail(ctx: Context, error: unknown): void {
  ctx.onerror((error ?? new Error(`non-error thrown: ${String(error)}`)) as Error);
}
