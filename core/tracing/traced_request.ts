import { channels, publishError, publishLate, trace } from '../../tracing/channels.js';
import type { RequestTrace } from '../../tracing/payloads.js';
import { isRecorded, recording } from '../../tracing/recording.js';
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

const TRACED = Symbol('traced');

type TracedContext = Context & { [TRACED]?: TracedRequest };

/** Runs a request for the subscribers of `clutch:request` and for who records it. @param run never throws, and responds */
export function traceRequest(ctx: Context, run: (ctx: Context) => Promise<unknown>): Promise<unknown> {
  const request = new TracedRequest(ctx);
  const { recorder } = recording;
  if (recorder && isRecorded(ctx)) return recorder.run('request', request, () => publishRequest(request, run));
  return publishRequest(request, run);
}

function publishRequest(request: TracedRequest, run: (ctx: Context) => Promise<unknown>): Promise<unknown> {
  const { start, hasSubscribers } = channels.request;
  // A context of another shape would slow down all code that meets both: only where each request has it.
  if (hasSubscribers) (request.ctx as TracedContext)[TRACED] = request;
  return start.runStores(request, runTraced, undefined, request, run);
}

function runTraced(request: TracedRequest, run: (ctx: Context) => Promise<unknown>): Promise<unknown> {
  const { ctx } = request;
  const handled = run(ctx);
  channels.request.end.publish(request);
  return handled.then((value) => {
    const { res } = ctx;
    // What has been given to Node as a whole is out of the app's hands; a stream goes on.
    if (res.writableEnded || res.destroyed) publishLate('request', request);
    else res.once('close', () => publishLate('request', request));
    return value;
  });
}

/** A request that is traced has failed. */
export function traceRequestError(ctx: Context, error: unknown): void {
  const request = (ctx as TracedContext)[TRACED];
  if (request) publishError('request', request, error);
}

/** The same middleware, for subscribers of `clutch:middleware`. */
export function tracedMiddleware(fn: Middleware): Middleware {
  const name = (fn as { _name?: string })._name ?? (fn.name || 'anonymous');
  return (ctx, next) => trace('middleware', { ctx, name }, () => fn(ctx, next));
}
