import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { AppConfig } from '../../../core/index.js';
import { LogLimiter } from '../../../output/log_limiter.js';

const { STATUS_CODES } = process.getBuiltinModule('node:http');

/** What `config.onClientError` may return. */
interface ClientErrorResponse {
  status?: number;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

/** Chooses the response to a request that is not HTTP; nothing for the default one. */
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

/** Connections that have been responded to: Node emits `clientError` again for each further chunk that it cannot parse. */
const settled = new WeakSet<Socket>();

const limiters = new WeakMap<Host, LogLimiter>();

/** Anyone can send bad requests, as many as they like. */
function limiterOf(app: Host): LogLimiter {
  const limiter = limiters.get(app) ?? new LogLimiter((message) => app.coreLogger.warn(message));
  limiters.set(app, limiter);
  return limiter;
}

/**
 * Responds to a request that Node cannot parse or that did not arrive in time, and closes its connection.
 *
 * @param before the latest response on the connection, if any. If its request arrived completely, it is sent first. If it belongs to
 * the broken request and has begun, the connection is closed at once: the client would take more bytes for its body
 */
export async function respondToClientError(
  app: Host,
  error: ParseError,
  socket: Socket,
  before?: ServerResponse,
): Promise<void> {
  if (settled.has(socket)) return;
  settled.add(socket);
  if (before?.req.complete && !before.writableFinished) await once(before, 'close');
  if (error.code === 'ECONNRESET' || !socket.writable || (before?.headersSent && !before.writableFinished)) {
    socket.destroy();
    return;
  }
  if (error.rawPacket) limiterOf(app).log(`A client (${socket.remoteAddress}) sent a bad request: ${error.message}`);
  const response = responseTo(app, error, socket);
  // At once if it is there: the handler of the broken request may be about to respond as well.
  socket.end(response instanceof Promise ? await response : response);
  socket.resume();
  setTimeout(() => socket.destroy(), LINGER).unref();
}

function responseTo(app: Host, error: ParseError, socket: Socket): Buffer | Promise<Buffer> {
  const status = STATUSES[error.code ?? ''] ?? 400;
  const { onClientError } = app.config;
  return onClientError ? ownResponse(app, status, () => onClientError(error, socket, app)) : rawResponse({ status });
}

async function ownResponse(app: Host, status: number, choose: () => ReturnType<OnClientError>): Promise<Buffer> {
  try {
    return rawResponse({ status, ...(await choose()) });
  } catch (thrown) {
    app.coreLogger.error(thrown);
    return rawResponse({ status });
  }
}

function rawResponse({
  status,
  headers = {},
  body = defaultBody(status),
}: ClientErrorResponse & { status: number }): Buffer {
  const lines = Object.entries(headers)
    .filter(([name]) => name.toLowerCase() !== 'content-length')
    .map(([name, value]) => `${name}: ${value}`.replace(/[\r\n]/g, ''));
  if (!lines.some((line) => /^connection:/i.test(line))) lines.unshift('Connection: close');
  const bytes = Buffer.from(body);
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}`, `Content-Length: ${bytes.length}`, ...lines];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]);
}

function defaultBody(status: number): string {
  const title = `${status} ${STATUS_CODES[status]}`;
  return `<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`;
}
