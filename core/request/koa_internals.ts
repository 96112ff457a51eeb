import { createRequire } from 'node:module';
import Stream from 'node:stream';

const require = createRequire(import.meta.url);

// The private members of Koa that this package relies on; no other file names them. test/core/koa_internals.test.ts checks
// each. Where Koa does not keep its fields as expected, `keepsFields` says so, and every response takes Koa's own code.

type IsStream = (body: unknown) => body is Stream.Readable;

interface ResponseFields {
  _body: unknown;
  _explicitStatus?: boolean;
  _explicitNullBody?: boolean;
}

/** Gives a new response the fields that Koa adds later on, so that all responses share one hidden class. */
export function addFields(response: object): void {
  (response as ResponseFields)._body = undefined;
  (response as ResponseFields)._explicitStatus = undefined;
}

export function bodyOf(response: object): unknown {
  return (response as ResponseFields)._body;
}

export function keepBody(response: object, body: unknown): void {
  (response as ResponseFields)._body = body;
}

/** @returns whether the status was set, by itself or along with a body */
export function isStatusSet(response: object): boolean {
  return (response as ResponseFields)._explicitStatus === true;
}

export function markStatusSet(response: object): void {
  (response as ResponseFields)._explicitStatus = true;
}

/** @returns whether the body was set to null, so that the response has none instead of the status as a text */
export function isBodyNull(response: object): boolean {
  return (response as ResponseFields)._explicitNullBody === true;
}

/** Whether Koa takes a body for a stream: streams of Node, and objects that have their methods. */
export function isStream(body: unknown): body is Stream.Readable {
  isStreamOfKoa ??= loadIsStream();
  return isStreamOfKoa(body);
}

/** @returns the path of the route that a request has taken, which every version of `@koa/router` leaves in the context */
export function pathOfRoute(ctx: object): string | RegExp | undefined {
  return (ctx as { _matchedRoute?: string | RegExp })._matchedRoute;
}

/** Loaded at first use: an Agent does without Koa. */
let isStreamOfKoa: IsStream | undefined;

function loadIsStream(): IsStream {
  try {
    return require('koa/lib/is-stream.js') as IsStream;
  } catch {
    return (body) => body instanceof Stream.Readable;
  }
}

/** @returns whether a response of this prototype keeps its state in the fields above */
export function keepsFields(prototype: object): boolean {
  const response = Object.create(prototype) as ResponseFields & { body: unknown };
  const res = {
    statusCode: 404,
    headersSent: false,
    hasHeader: () => false,
    getHeader: () => undefined,
    getHeaders: () => ({}),
    setHeader: () => undefined,
    removeHeader: () => undefined,
  };
  Object.assign(response, { req: { httpVersionMajor: 1 }, res });
  response.body = 'text';
  const isKept = response._body === 'text' && response._explicitStatus === true && response.body === 'text';
  response.body = null;
  return isKept && response._body === null && response._explicitNullBody === true;
}
