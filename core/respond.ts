import type { ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import Stream from 'node:stream';
import type { SingleWriteResponse } from './http/single_write_response.js';
import { isPlainData } from './koa_prototypes.js';
import type { Context } from './types.js';

const require = createRequire(import.meta.url);
const isStream = require('koa/lib/is-stream.js') as (body: unknown) => body is Stream.Readable;

interface ResponseFields {
  _body: unknown;
  _explicitNullBody?: boolean;
  has(field: string): boolean;
  remove(field: string): void;
  length?: number;
}

/**
 * Ends a response with what the middleware has left, as Koa does: the same headers, status and body, with the usual case, a
 * text or data as JSON, first.
 */
export function respond(ctx: Context): void {
  if (ctx.respond === false) return;
  const { res } = ctx;
  if (!ctx.writable) {
    res.end();
    return;
  }
  const response = ctx.response as unknown as ResponseFields;
  const body = ctx.body as unknown;
  const status = res.statusCode;
  if (status === 204 || status === 205 || status === 304) {
    ctx.body = null;
    res.end();
  } else if (ctx.method === 'HEAD') {
    if (!res.headersSent && !response.has('Content-Length')) {
      const { length } = response;
      if (Number.isInteger(length)) ctx.length = length as number;
    }
    res.end();
  } else if (isPlainData(body)) {
    respondWithJson(res, body);
  } else if (typeof body === 'string') {
    endWithText(res, body);
  } else if (Buffer.isBuffer(body)) {
    res.end(body);
  } else if (body === null || body === undefined) {
    respondWithoutBody(ctx, response);
  } else {
    const stream = asStream(body);
    if (stream) {
      respondWithStream(ctx, stream);
      return;
    }
    respondWithJson(res, body);
  }
}

function respondWithJson(res: ServerResponse, body: unknown): void {
  const text = JSON.stringify(body);
  if (!res.headersSent && !res.hasHeader('transfer-encoding')) {
    res.setHeader('Content-Length', String(Buffer.byteLength(text)));
  }
  endWithText(res, text);
}

function endWithText(res: ServerResponse & Partial<Pick<SingleWriteResponse, 'endInBatch'>>, text: string): void {
  if (res.endInBatch) res.endInBatch(text);
  else res.end(text);
}

/**
 * Reports an error of the stream or of the response once, as `pipeline` does, but leaves the response alone if it has not begun:
 * `pipeline` destroys its connection, where the client can still be told what happened.
 */
function respondWithStream(ctx: Context, stream: Stream.Readable): void {
  const { res } = ctx;
  let settled = false;
  const settle = (error?: Error | null): void => {
    if (settled) return;
    settled = true;
    if (!error) return;
    const begun = res.headersSent;
    stream.unpipe(res);
    if (ctx.app.listenerCount('error')) ctx.onerror(error);
    stream.destroy();
    if (begun) res.destroy();
  };
  Stream.finished(stream, { writable: false }, settle);
  Stream.finished(res, settle);
  stream.pipe(res);
}

function respondWithoutBody(ctx: Context, response: ResponseFields): void {
  const { res } = ctx;
  if (response._explicitNullBody) {
    response.remove('Content-Type');
    response.remove('Transfer-Encoding');
    ctx.length = 0;
    res.end();
    return;
  }
  const text = ctx.req.httpVersionMajor >= 2 ? String(res.statusCode) : ctx.message || String(res.statusCode);
  if (!res.headersSent) {
    ctx.type = 'text';
    ctx.length = Buffer.byteLength(text);
  }
  endWithText(res, text);
}

function asStream(body: unknown): Stream.Readable | undefined {
  if (body instanceof Blob) return Stream.Readable.from(body.stream() as unknown as AsyncIterable<unknown>);
  if (body instanceof ReadableStream) return Stream.Readable.from(body as unknown as AsyncIterable<unknown>);
  if (body instanceof Response) return Stream.Readable.from((body.body ?? '') as unknown as AsyncIterable<unknown>);
  return isStream(body) ? body : undefined;
}
