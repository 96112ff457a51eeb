import type { Socket } from 'node:net';
import { respond } from './respond.js';
import type { Context } from './types.js';

const CURRENT = Symbol('context');

interface Chunk {
  chunk: string | Buffer;
  encoding: BufferEncoding;
}

interface Watched extends Socket {
  [CURRENT]?: Context;
  _write(chunk: unknown, encoding: BufferEncoding, callback: (error?: Error | null) => void): void;
  _writev?(chunks: Chunk[], callback: (error?: Error | null) => void): void;
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

function watch(ctx: Context): void {
  const socket = ctx.req.socket as Watched | null | undefined;
  if (!socket) return;
  if (!(CURRENT in socket)) {
    if (typeof socket.on !== 'function') return;
    writeAtOnce(socket);
    socket.on('error', (error) => {
      const current = socket[CURRENT];
      if (current && !current.res.writableFinished) current.onerror(error);
    });
  }
  socket[CURRENT] = ctx;
}

/**
 * Node ends a response with two chunks, head and body as one text and an empty one, and has the kernel gather them. The
 * first alone is the same bytes, in a write that needs no list.
 */
function writeAtOnce(socket: Watched): void {
  const writev = socket._writev;
  if (!writev || (socket as { encrypted?: boolean }).encrypted) return;
  socket._writev = function (chunks, callback) {
    const [first, second] = chunks as [Chunk, Chunk];
    if (chunks.length === 2 && second.chunk.length === 0) this._write(first.chunk, first.encoding, callback);
    else writev.call(this, chunks, callback);
  };
}
