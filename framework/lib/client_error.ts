import type { Socket } from 'node:net';
import type { Application } from './application_class.js';

const { STATUS_CODES } = process.getBuiltinModule('node:http');

interface ClientErrorAnswer {
  status?: number;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

type OnClientError = (error: Error, socket: Socket, app: Application) => Promise<ClientErrorAnswer | undefined>;
type ParseError = Error & { rawPacket?: Buffer; code?: string };

const DEFAULT_BODY = '<html><head><title>400 Bad Request</title></head><body><h1>400 Bad Request</h1></body></html>';

/** Answers a request that is not HTTP; `config.onClientError` may give the answer. */
export async function answerClientError(app: Application, error: ParseError, socket: Socket): Promise<void> {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  if (error.rawPacket) app.coreLogger.warn('A client (%s) sent a bad request: %s', socket.remoteAddress, error.message);
  let answer: ClientErrorAnswer = {};
  try {
    const onClientError = app.config['onClientError'] as OnClientError | null | undefined;
    answer = (await onClientError?.(error, socket, app)) ?? {};
  } catch (thrown) {
    app.coreLogger.error(thrown);
  }
  socket.end(rawResponse(answer));
}

function rawResponse({ status = 400, headers = {}, body = DEFAULT_BODY }: ClientErrorAnswer): string {
  const lines = Object.entries(headers)
    .filter(([name]) => name.toLowerCase() !== 'content-length')
    .map(([name, value]) => `${name}: ${value}`.replace(/[\r\n]/g, ''));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return `${[...head, ...lines].join('\r\n')}\r\n\r\n${body}`;
}
