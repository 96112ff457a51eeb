import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context } from '../../../core/index.js';

/** What is still read of an upload that nobody wants: bytes in all, milliseconds in all, milliseconds of silence. */
const UNREAD_LIMITS = { bytes: 64 * 1024 * 1024, duration: 30_000, idle: 5_000 };

const WITHOUT_BODY = new Set([204, 205, 304]);

/**
 * Ends a response outside of the middleware with `ctx.body`: a text, a Buffer, or data as JSON.
 *
 * A request whose body has not been read is read to its end first, within bounds, and then its connection is closed. A client that
 * sends everything before it reads would otherwise see its connection reset, and never the response.
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
  // All of the response is sent; only its end, which may close the connection, waits for the request.
  res.flushHeaders();
  if (bytes.length > 0) res.write(bytes);
  discard(req, () => res.end());
}

function hasUnreadBody(req: IncomingMessage): boolean {
  if (req.complete || req.destroyed) return false;
  const { headers } = req;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Reads a request to its end and calls `done`; where it exceeds a limit the connection is closed after that. */
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
    socket.destroySoon();
  };
  const count = (chunk: Buffer): void => {
    bytes += chunk.length;
    idle.refresh();
    if (bytes > UNREAD_LIMITS.bytes) cut();
  };
  const whole = setTimeout(cut, UNREAD_LIMITS.duration).unref();
  const idle = setTimeout(cut, UNREAD_LIMITS.idle).unref();
  // An aborted upload ends with `close`; its error has been reported as that of the request.
  req.on('error', () => undefined);
  req.on('data', count).once('end', settle).once('close', settle);
  req.resume();
}
