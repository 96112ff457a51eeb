import type Koa from 'koa';
import { replaceSource } from './body_source.js';
import type { Exchange } from './connection.js';
import { bodyOf, isStatusSet, keepBody, keepsFields, markStatusSet } from './koa_internals.js';
import { isWebResponse, setWebResponse } from './web_response.js';

const { STATUS_CODES } = process.getBuiltinModule('node:http');

interface Accessor {
  get(this: Exchange): unknown;
  set(this: Exchange, value: unknown): void;
}

interface KoaContext {
  request: Record<'path' | 'method' | 'secure', unknown>;
  response: Record<'body' | 'status' | 'writable', unknown>;
}

const JSON_TYPE = 'application/json; charset=utf-8';
const TEXT_TYPE = 'text/plain; charset=utf-8';

const HTML = /^\s*</;

/**
 * A prototype between an app's responses and Koa's. Its `body` closes sources that are not sent, and has a short path
 * for the two usual cases: data and plain text in a response that has neither body nor type yet. The outcome is Koa's.
 */
export function responsePrototype(koa: object): object {
  const { get, set } = Object.getOwnPropertyDescriptor(koa, 'body') as Accessor;
  const isKnown = keepsFields(koa);
  const setByKoa = function (this: Exchange, value: unknown): void {
    const previous = get.call(this);
    if (isKnown && isWebResponse(value)) setWebResponse(this as Koa.Response, value);
    else set.call(this, value);
    replaceSource(this, previous, value);
  };
  const setBody = function (this: Exchange, value: unknown): void {
    const { res } = this;
    if (bodyOf(this) !== undefined || res.headersSent || !isUsual(value) || res.hasHeader('content-type')) {
      setByKoa.call(this, value);
      return;
    }
    keepBody(this, value);
    if (!isStatusSet(this)) {
      markStatusSet(this);
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
  };
  const own = isKnown ? { get: getBody, set: setBody } : { get, set: setByKoa };
  return Object.create(koa, { body: { configurable: true, ...own }, message: messageProperty(koa) });
}

/** HTTP/2 has no reason phrase: Node warns when it is read or set. */
function messageProperty(koa: object): PropertyDescriptor {
  return {
    configurable: true,
    get(this: Exchange) {
      return this.req.httpVersionMajor < 2 ? Reflect.get(koa, 'message', this) : STATUS_CODES[this.res.statusCode];
    },
    set(this: Exchange, value: unknown) {
      if (this.req.httpVersionMajor < 2) Reflect.set(koa, 'message', value, this);
    },
  };
}

function getBody(this: Exchange): unknown {
  return bodyOf(this);
}

function isUsual(value: unknown): boolean {
  return typeof value === 'string' ? !HTML.test(value) : isPlainData(value);
}

/** @returns whether the value is an object or array that can only be meant as JSON; one with `pipe` may be a stream */
export function isPlainData(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== Array.prototype) return false;
  return (value as { pipe?: unknown }).pipe === undefined;
}

/**
 * A prototype between an app's contexts and Koa's. The members that nearly every request uses have a function each, which V8
 * can optimize: Koa's delegates share one function for all names.
 */
export function contextPrototype(koa: object): object {
  return Object.create(koa, {
    body: {
      configurable: true,
      get(this: KoaContext) {
        return this.response.body;
      },
      set(this: KoaContext, value: unknown) {
        this.response.body = value;
      },
    },
    status: {
      configurable: true,
      get(this: KoaContext) {
        return this.response.status;
      },
      set(this: KoaContext, value: unknown) {
        this.response.status = value;
      },
    },
    path: {
      configurable: true,
      get(this: KoaContext) {
        return this.request.path;
      },
      set(this: KoaContext, value: unknown) {
        this.request.path = value;
      },
    },
    method: {
      configurable: true,
      get(this: KoaContext) {
        return this.request.method;
      },
      set(this: KoaContext, value: unknown) {
        this.request.method = value;
      },
    },
    secure: {
      configurable: true,
      get(this: KoaContext) {
        return this.request.secure;
      },
    },
    writable: {
      configurable: true,
      get(this: KoaContext) {
        return this.response.writable;
      },
    },
  });
}
