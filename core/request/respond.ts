import type { ServerResponse } from 'node:http';
import Stream from 'node:stream';
import type streamWeb from 'node:stream/web';
import type { SingleWriteResponse } from '../http/single_write_response.js';
import type { Context } from '../types.js';
import { isSource } from './body_source.js';
import { onceEnded } from './connection.js';
import { respondToFailure } from './fail.js';
import { isBodyNull, isStream } from './koa_internals.js';
import { isPlainData } from './koa_prototypes.js';
import { isWebResponse, isWebStream } from './web_response.js';

/** Ends a response with the body that the middleware has set: the same headers, status and bytes as from Koa. */
export function respond(ctx: Context): void {
  if (ctx.respond === false) return;
  const { res } = ctx;
  if (!ctx.writable) {
    res.end();
    return;
  }
  const { response } = ctx;
  const body = ctx.body as unknown;
  const status = res.statusCode;
  if (status === 204 || status === 205 || status === 304) {
    ctx.body = null;
    res.end();
  } else if (ctx.method === 'HEAD') {
    // Koa takes a web stream for JSON here.
    if (!res.headersSent && !res.hasHeader('content-length') && !isSource(body)) {
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
    respondWithoutBody(ctx);
  } else {
    const stream = asStream(body);
    if (stream === undefined) {
      respondWithJson(res, body);
      return;
    }
    // A web stream is read through this one alone, and can only be cancelled through it.
    if (stream !== body) onceEnded(ctx, () => stream.destroy());
    respondWithStream(ctx, stream);
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
    if (ctx.app.listenerCount('error')) respondToFailure(ctx, error);
    stream.destroy();
    if (begun) res.destroy();
  };
  const settleStream = (error?: Error | null): void => settle(error && hasLeft(ctx) ? prematureClose(error) : error);
  Stream.finished(stream, { writable: false }, settleStream);
  Stream.finished(res, settle);
  stream.pipe(res);
}

/** Whether the connection of a response that is not complete is gone. */
function hasLeft({ req, res }: Context): boolean {
  return !res.writableFinished && (res.destroyed || req.socket?.destroyed === true);
}

/** Of a stream that was destroyed since the client has left: its own error, as of one that undici reads, says nothing about that. */
function prematureClose(cause: Error): Error {
  return Object.assign(new Error('Premature close', { cause }), { code: 'ERR_STREAM_PREMATURE_CLOSE' });
}

function respondWithoutBody(ctx: Context): void {
  const { res, response } = ctx;
  if (isBodyNull(response)) {
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
  if (typeof body !== 'object' || body === null) return undefined;
  if (isStream(body)) return body;
  if (body instanceof Blob) return fromWeb(body.stream());
  if (isWebStream(body)) return fromWeb(body);
  if (isWebResponse(body)) return body.body ? fromWeb(body.body) : Stream.Readable.from('');
  return undefined;
}

/** Not `Readable.from`: when that is destroyed while it waits for data, it cancels the source only once the data arrives. */
function fromWeb(stream: object): Stream.Readable {
  return Stream.Readable.fromWeb(stream as streamWeb.ReadableStream);
}
