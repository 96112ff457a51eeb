import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { inspect } from 'node:util';
import type { AppConfig } from '../../../core/index.js';
import { toError } from '../../../errors.js';
import { LogLimiter } from '../../../output/log_limiter.js';

const { STATUS_CODES, validateHeaderName } = process.getBuiltinModule('node:http');

/** What `config.onClientError` may return. */
interface ClientErrorResponse {
  status?: number;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

/** Chooses the response to a request that is not HTTP; nothing, or nothing within 3 s, for the default one. */
export type OnClientError<App = unknown> = (
  error: ParseError,
  socket: Socket,
  app: App,
) => ClientErrorResponse | undefined | Promise<ClientErrorResponse | undefined>;

type ParseError = Error & { rawPacket?: Buffer; code?: string };

interface Host {
  config: AppConfig;
  coreLogger: { warn(...args: unknown[]): void; error(...args: unknown[]): void };
}

/** Statuses of errors by Node's code; every other one is a 400. */
const STATUSES: Record<string, number> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** Milliseconds until the connection is destroyed, so that a client that is still sending can read the response. */
const LINGER = 2000;

/** Milliseconds that `config.onClientError` may take; after them the default response is sent. */
const DECISION_LIMIT = 3000;

/** Connections that have been responded to: Node emits `clientError` again for each further chunk that it cannot parse. */
const settled = new WeakSet<Socket>();

interface Limiters {
  requests: LogLimiter;
  failures: LogLimiter;
}

const limiters = new WeakMap<Host, Limiters>();

/** Anyone can send bad requests, as many as they like, and with them let `config.onClientError` fail. */
function limitersOf(app: Host): Limiters {
  const known = limiters.get(app);
  if (known) return known;
  const created = {
    requests: new LogLimiter((message) => app.coreLogger.warn(message)),
    failures: new LogLimiter((message) => app.coreLogger.error(message)),
  };
  limiters.set(app, created);
  return created;
}

/**
 * Responds to a request that Node cannot parse or that did not arrive in time, and closes its connection.
 *
 * @param before the latest response on the connection, if any. If it has begun and not ended, the connection is closed at once, as Node
 * does: the client would take more bytes for its body. One that has not begun is sent first, if its request arrived completely
 */
export async function respondToClientError(
  app: Host,
  error: ParseError,
  socket: Socket,
  before?: ServerResponse,
): Promise<void> {
  if (settled.has(socket)) return;
  settled.add(socket);
  if (before && !before.writableFinished) {
    if (before.headersSent && !before.writableEnded) {
      socket.destroy();
      return;
    }
    if (before.req.complete) await once(before, 'close');
  }
  if (error.code === 'ECONNRESET' || !socket.writable || (before?.headersSent && !before.writableFinished)) {
    socket.destroy();
    return;
  }
  if (error.rawPacket) {
    limitersOf(app).requests.log(`A client (${socket.remoteAddress}) sent a bad request: ${error.message}`);
  }
  const response = responseTo(app, error, socket);
  // At once if it is there: the handler of the broken request may be about to respond as well.
  socket.end(response instanceof Promise ? await response : response);
  socket.resume();
  setTimeout(() => socket.destroy(), LINGER).unref();
}

function responseTo(app: Host, error: ParseError, socket: Socket): Buffer | Promise<Buffer> {
  const status = STATUSES[error.code ?? ''] ?? 400;
  const { onClientError } = app.config;
  return onClientError ? ownResponse(app, status, () => onClientError(error, socket, app)) : rawResponse(status);
}

async function ownResponse(app: Host, status: number, choose: () => ReturnType<OnClientError>): Promise<Buffer> {
  try {
    return rawResponse(status, await inTime(choose()));
  } catch (thrown) {
    const { stack, message } = toError(thrown);
    limitersOf(app).failures.log(`config.onClientError failed: ${stack ?? message}`);
    return rawResponse(status);
  }
}

async function inTime<T>(decision: T | Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no response within ${DECISION_LIMIT} ms`)), DECISION_LIMIT);
  });
  try {
    return await Promise.race([decision, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** @throws {TypeError} for a status, header name or body that HTTP does not have */
function rawResponse(defaultStatus: number, chosen?: ClientErrorResponse): Buffer {
  const { status = defaultStatus, headers = {}, body = defaultBody(status) } = chosen ?? {};
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new TypeError(`status ${inspect(status)} is no status of a response`);
  }
  const lines = Object.entries(headers)
    .filter(([name]) => name.toLowerCase() !== 'content-length')
    .map(([name, value]) => {
      validateHeaderName(name);
      return `${name}: ${value}`.replace(/[\r\n]/g, '');
    });
  if (!lines.some((line) => /^connection:/i.test(line))) lines.unshift('Connection: close');
  const bytes = Buffer.from(body);
  const head = [`HTTP/1.1 ${status} ${phraseOf(status)}`, `Content-Length: ${bytes.length}`, ...lines];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]);
}

function phraseOf(status: number): string {
  return STATUS_CODES[status] ?? 'Unknown';
}

function defaultBody(status: number): string {
  const title = `${status} ${phraseOf(status)}`;
  return `<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`;
}
