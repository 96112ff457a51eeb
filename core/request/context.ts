import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context } from '../types.js';
import { addFields } from './koa_internals.js';

type ContextFactory = (req: IncomingMessage, res: ServerResponse) => Context;

interface Prototypes {
  context: object;
  request: object;
  response: object;
}

const CONTEXT = Symbol('context');

/** @returns the context that was made for a response; undefined before that, and for a framework that makes its own */
export function contextOf(res: object): Context | undefined {
  return (res as { [CONTEXT]?: Context })[CONTEXT];
}

/**
 * Builds the function that makes contexts for one app.
 *
 * Their prototypes are `app.context`, `app.request` and `app.response`, so that members added there are seen as in Koa. They
 * come from constructors, not from `Object.create` per request: all contexts of an app share one hidden class.
 */
export function contextFactory(app: Prototypes): ContextFactory {
  class RequestOf {
    app = app;
    req: IncomingMessage;
    res: ServerResponse;
    ctx: unknown = undefined;
    response: unknown = undefined;
    originalUrl: string;
    constructor(req: IncomingMessage, res: ServerResponse) {
      this.req = req;
      this.res = res;
      this.originalUrl = req.url as string;
    }
  }
  class ResponseOf {
    app = app;
    req: IncomingMessage;
    res: ServerResponse;
    ctx: unknown = undefined;
    request: RequestOf;
    constructor(request: RequestOf) {
      this.req = request.req;
      this.res = request.res;
      this.request = request;
      addFields(this);
    }
  }
  class ContextOf {
    app = app;
    req: IncomingMessage;
    res: ServerResponse;
    request: RequestOf;
    response: ResponseOf;
    originalUrl: string;
    starttime = Date.now();
    constructor(req: IncomingMessage, res: ServerResponse) {
      const request = new RequestOf(req, res);
      const response = new ResponseOf(request);
      request.response = response;
      request.ctx = this;
      response.ctx = this;
      this.req = req;
      this.res = res;
      this.request = request;
      this.response = response;
      this.originalUrl = request.originalUrl;
      (res as { [CONTEXT]?: unknown })[CONTEXT] = this;
    }
  }
  Object.setPrototypeOf(RequestOf.prototype, app.request);
  Object.setPrototypeOf(ResponseOf.prototype, app.response);
  Object.setPrototypeOf(ContextOf.prototype, app.context);
  return (req, res) => new ContextOf(req, res) as unknown as Context;
}

const STATE = Symbol('ctx.state');

/** Makes `ctx.state` an object that is created at first use. */
export function defineLazyState(context: object): void {
  Object.defineProperty(context, 'state', {
    configurable: true,
    get(this: Record<symbol, unknown>) {
      return (this[STATE] ??= {});
    },
    set(this: Record<symbol, unknown>, value: unknown) {
      this[STATE] = value;
    },
  });
}
