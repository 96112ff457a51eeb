import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context } from '../../../core/index.js';

/** How much of an unwanted upload is read and discarded: total bytes, total milliseconds, milliseconds without data. */
const UNREAD_LIMITS = { bytes: 64 * 1024 * 1024, duration: 30_000, idle: 5_000 };

/** Bytes of an upload that Node may discard by itself: they are about to arrive, or time out with the request. */
const SMALL_UPLOAD = 64 * 1024;

const WITHOUT_BODY = new Set([204, 205, 304]);

/**
 * Sends `ctx.body`, a text, a Buffer or data as JSON, outside of the middleware.
 *
 * If the request body has not been read, the rest of it is discarded before the response ends, within `UNREAD_LIMITS`; beyond
 * them the connection is closed. Otherwise a client that sends its whole request before it reads could see a connection
 * reset in place of the response.
 */
export function endResponse(ctx: Context): void {
  const { req, res } = ctx;
  if (WITHOUT_BODY.has(res.statusCode)) {
    for (const name of ['content-type', 'content-length', 'transfer-encoding']) res.removeHeader(name);
    end(req, res, '');
    return;
  }
  const body: unknown = ctx.body;
  const bytes = typeof body === 'string' || Buffer.isBuffer(body) ? body : body == null ? '' : JSON.stringify(body);
  res.removeHeader('transfer-encoding');
  res.setHeader('content-length', Buffer.byteLength(bytes));
  end(req, res, bytes);
}

function end(req: IncomingMessage, res: ServerResponse, bytes: string | Buffer): void {
  if (!hasUnreadBody(req)) {
    res.end(bytes);
    return;
  }
  // The client gets the whole response now; end() would close the connection if it is not kept alive, so it comes later.
  res.flushHeaders();
  if (bytes.length > 0) res.write(bytes);
  discard(req, () => res.end());
}

/**
 * Makes the end of a response wait for an unread request body, as `endResponse` does, whoever ends it. Only for connections that
 * close after the response: where they are kept alive Node itself discards the rest of the request.
 */
export function waitForUpload({ req, res }: Context): void {
  if (!hasUnreadBody(req)) return;
  const { end } = res;
  res.end = ((...given: unknown[]) => {
    // Later calls are Node's own.
    res.end = end;
    if (!hasUnreadBody(req)) return Reflect.apply(end, res, given);
    const callbacks = given.filter((value) => typeof value === 'function');
    const [chunk, encoding] = given.filter((value) => typeof value !== 'function');
    res.flushHeaders();
    if (chunk) res.write(chunk, encoding as BufferEncoding);
    discard(req, () => Reflect.apply(end, res, callbacks));
    return res;
  }) as typeof end;
}

/**
 * Bounds how much of an upload is read after a response that keeps the connection alive, if nobody has read it: Node itself would read all of it,
 * however long it is.
 */
export function limitUpload({ req, res }: Context): void {
  const { headers } = req;
  const length = headers['content-length'];
  if (length === undefined ? headers['transfer-encoding'] === undefined : Number(length) <= SMALL_UPLOAD) return;
  res.once('prefinish', () => {
    // A handler may go on reading after its response.
    if (req.complete || req.destroyed || req.readableFlowing !== null || req.listenerCount('readable') > 0) return;
    // Node discards the rest, uncounted, unless it has been read from.
    req.read(0);
    discard(req, () => undefined);
  });
}

function hasUnreadBody(req: IncomingMessage): boolean {
  // A request that was injected by a test knows no `complete`.
  if (req.complete || req.readableEnded || req.destroyed) return false;
  const { headers } = req;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Discards the rest of a request, then calls `done`; if it exceeds a limit, also closes the connection. */
function discard(req: IncomingMessage, done: () => void): void {
  const { socket } = req;
  let bytes = 0;
  const settle = (): void => {
    clearTimeout(whole);
    clearTimeout(idle);
    req.off('data', count).off('end', settle).off('close', settle);
    done();
  };
  const cut = (): void => {
    settle();
    const { stream } = req as { stream?: { close(): void } };
    // A connection of HTTP/2 has other requests.
    if (stream) stream.close();
    else socket.destroySoon();
  };
  const count = (chunk: Buffer): void => {
    bytes += chunk.length;
    idle.refresh();
    if (bytes > UNREAD_LIMITS.bytes) cut();
  };
  const whole = setTimeout(cut, UNREAD_LIMITS.duration).unref();
  const idle = setTimeout(cut, UNREAD_LIMITS.idle).unref();
  // An aborted upload emits `error` too; the request has already failed with an error of its own.
  req.on('error', () => undefined);
  req.on('data', count).once('end', settle).once('close', settle);
  req.resume();
}
