import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { respond } from './respond.js';
import type { Context } from './types.js';

const CURRENT = Symbol('context');

interface Watched extends Socket {
  [CURRENT]?: Context;
}

/**
 * Runs the middleware of one request and answers, as Koa's own `handleRequest` does.
 *
 * An error of the connection while the answer is being written reaches `ctx.onerror` through one listener for each
 * connection, where Koa adds several for each request.
 */
export function handleRequest(ctx: Context, run: (ctx: Context) => Promise<unknown>): Promise<void> {
  const { res } = ctx;
  res.statusCode = 404;
  watch(ctx);
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

/** Koa answers nothing when null or undefined was thrown, and the client waits for ever: here it is an error like any other. */
function fail(ctx: Context, error: unknown): void {
  ctx.onerror((error ?? new Error(`non-error thrown: ${String(error)}`)) as Error);
}

/** @returns the response to the last request that came on the connection; undefined before the first one */
export function responseOn(socket: Socket): ServerResponse | undefined {
  return (socket as Watched)[CURRENT]?.res;
}

function watch(ctx: Context): void {
  const socket = ctx.req.socket as Watched | null | undefined;
  if (!socket) return;
  if (!(CURRENT in socket)) {
    if (typeof socket.on !== 'function') return;
    socket.on('error', (error) => {
      const current = socket[CURRENT];
      if (current && !current.res.writableFinished) current.onerror(error);
    });
  }
  socket[CURRENT] = ctx;
}
