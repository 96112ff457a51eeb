import { channels } from '../../tracing/channels.js';
import { isChosen, isRecorded } from '../../tracing/recording.js';
import { tracedMiddleware, traceRequest } from '../tracing/traced_request.js';
import type { Context, Middleware } from '../types.js';
import { compose } from './compose.js';
import type { Composed } from './composed.js';
import { watchConnection } from './connection.js';
import { fail } from './fail.js';
import { middlewareOf } from './phases.js';
import { respond } from './respond.js';

const RESPONDING = Symbol('responding');

/** What the middleware has set is sent behind all of it. */
const response = middlewareOf('response', {
  after(ctx) {
    try {
      respond(ctx);
    } catch (error) {
      fail(ctx, error);
    }
    return undefined;
  },
  async failed(ctx, error) {
    fail(ctx, error);
  },
});

/**
 * Composes the middleware of an app, which may still grow: `app.use()` after `app.callback()` takes effect, as in Egg.
 *
 * @returns the function that gives the chain for the next request
 * @param composeOf composes in place of ours, as Koa's option `compose`
 */
export function composeApp(
  middleware: readonly unknown[],
  composeOf: (middleware: readonly unknown[]) => Composed = composeWithResponse,
): (ctx: Context) => Composed {
  let composed = composeOf(middleware);
  let traced: Composed | undefined;
  let { length } = middleware;
  return (ctx) => {
    if (middleware.length !== length) {
      composed = composeOf(middleware);
      traced = undefined;
      ({ length } = middleware);
    }
    // A second chain, so that middleware that nobody traces costs nothing.
    if (isChosen(ctx) || channels.middleware.hasSubscribers) {
      return (traced ??= composeOf(middleware.map(traceable)));
    }
    return composed;
  };
}

/** Whatever is no function is for `compose` to refuse. */
function traceable(middleware: unknown): unknown {
  return typeof middleware === 'function' ? tracedMiddleware(middleware as Middleware) : middleware;
}

/**
 * `handleRequest` finds the same chain with the response as its first middleware, so that phases that follow need no
 * promise of their own.
 */
function composeWithResponse(middleware: readonly unknown[]): Composed {
  return Object.assign(compose(middleware), { [RESPONDING]: compose([response, ...middleware]) });
}

/** Runs the middleware of one request and responds, as Koa's own `handleRequest` does. */
export function handleRequest(ctx: Context, run: Composed & { [RESPONDING]?: Composed }): Promise<void> {
  ctx.res.statusCode = 404;
  watchConnection(ctx);
  const responding = run[RESPONDING];
  if (channels.request.hasSubscribers || isRecorded(ctx)) {
    return traceRequest(ctx, responding ?? (() => response(ctx, () => run(ctx)) as Promise<unknown>)) as Promise<void>;
  }
  return (responding ? responding(ctx) : response(ctx, () => run(ctx))) as Promise<void>;
}
