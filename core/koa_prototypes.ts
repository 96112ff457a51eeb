import type { IncomingMessage, ServerResponse } from 'node:http';

interface ResponseFields {
  req: IncomingMessage;
  res: ServerResponse;
  _body: unknown;
  _explicitStatus?: boolean;
}

interface ContextFields {
  req: IncomingMessage;
  res: ServerResponse;
  request: Record<'path' | 'query', unknown>;
  response: Record<'body' | 'status' | 'type', unknown>;
}

const JSON_TYPE = 'application/json; charset=utf-8';
const TEXT_TYPE = 'text/plain; charset=utf-8';

/**
 * A prototype between an app's responses and Koa's: `body` with the two usual cases, data and plain text for a response
 * that has neither body nor type yet, written out. The outcome is Koa's.
 */
export function responsePrototype(koa: object): object {
  const body = Object.getOwnPropertyDescriptor(koa, 'body') as PropertyDescriptor & {
    set(value: unknown): void;
  };
  return Object.create(koa, {
    body: {
      configurable: true,
      get(this: ResponseFields) {
        return this._body;
      },
      set(this: ResponseFields, value: unknown) {
        const { res } = this;
        if (this._body !== undefined || res.headersSent || !isUsual(value) || res.hasHeader('content-type')) {
          body.set.call(this, value);
          return;
        }
        this._body = value;
        if (!this._explicitStatus) {
          this._explicitStatus = true;
          res.statusCode = 200;
          if (this.req.httpVersionMajor < 2) res.statusMessage = 'OK';
        }
        if (typeof value === 'string') {
          res.setHeader('Content-Type', TEXT_TYPE);
          if (!res.hasHeader('transfer-encoding')) res.setHeader('Content-Length', String(Buffer.byteLength(value)));
        } else {
          if (res.hasHeader('content-length')) res.removeHeader('Content-Length');
          res.setHeader('Content-Type', JSON_TYPE);
        }
      },
    },
  });
}

const HTML = /^\s*</;

function isUsual(value: unknown): boolean {
  return typeof value === 'string' ? !HTML.test(value) : isPlainData(value);
}

/** @returns whether it is an object or an array that can only be meant as JSON; one with `pipe` may be a stream */
export function isPlainData(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== Array.prototype) return false;
  return (value as { pipe?: unknown }).pipe === undefined;
}

/**
 * A prototype between an app's contexts and Koa's, with the members that nearly every request uses as code of their own:
 * Koa's delegates share one function for all names.
 */
export function contextPrototype(koa: object): object {
  return Object.create(koa, {
    body: {
      configurable: true,
      get(this: ContextFields) {
        return this.response.body;
      },
      set(this: ContextFields, value: unknown) {
        this.response.body = value;
      },
    },
    status: {
      configurable: true,
      get(this: ContextFields) {
        return this.response.status;
      },
      set(this: ContextFields, value: unknown) {
        this.response.status = value;
      },
    },
    path: {
      configurable: true,
      get(this: ContextFields) {
        return this.request.path;
      },
      set(this: ContextFields, value: unknown) {
        this.request.path = value;
      },
    },
    method: {
      configurable: true,
      get(this: { request: { method: string } }) {
        return this.request.method;
      },
      set(this: { request: { method: string } }, value: string) {
        this.request.method = value;
      },
    },
  });
}
