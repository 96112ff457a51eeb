import { finished } from 'node:stream';
import { channels, publishError, publishLate, trace } from '../../tracing/channels.js';
import type { RequestTrace } from '../../tracing/payloads.js';
import type { Context, Middleware } from '../types.js';

/** What `clutch:request` publishes. */
class TracedRequest implements RequestTrace {
  readonly ctx: Context;
  readonly method: string;
  readonly url: string;
  readonly start = performance.now();
  declare error?: unknown;
  declare result?: unknown;

  constructor(ctx: Context) {
    this.ctx = ctx;
    this.method = ctx.method;
    this.url = ctx.req.url as string;
  }

  get route(): string | undefined {
    const { routerPath } = this.ctx;
    return routerPath === undefined ? undefined : String(routerPath);
  }

  get status(): number {
    return this.ctx.res.statusCode;
  }
}

const traced = new WeakMap<Context, TracedRequest>();

/** Runs a request for the subscribers of `clutch:request`. @param run never throws, and responds */
export function traceRequest(ctx: Context, run: (ctx: Context) => Promise<unknown>): Promise<unknown> {
  const request = new TracedRequest(ctx);
  traced.set(ctx, request);
  const { start, end } = channels.request;
  return start.runStores(request, () => {
    const handled = run(ctx);
    end.publish(request);
    const endTrace = (): void => publishLate('request', request);
    void handled.then(() => {
      const { res } = ctx;
      if (res.writableFinished || res.destroyed) endTrace();
      else finished(res, { readable: false }, endTrace);
    });
    return handled;
  });
}

/** A request that is traced has failed. */
export function traceRequestError(ctx: Context, error: unknown): void {
  const request = traced.get(ctx);
  if (request) publishError('request', request, error);
}

/** The same middleware, for subscribers of `clutch:middleware`. */
export function tracedMiddleware(fn: Middleware): Middleware {
  const name = (fn as { _name?: string })._name ?? (fn.name || 'anonymous');
  return (ctx, next) => trace('middleware', { ctx, name }, () => fn(ctx, next));
}
