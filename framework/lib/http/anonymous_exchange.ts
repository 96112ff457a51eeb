import type { IncomingMessage, ServerResponse } from 'node:http';

/** @returns a made-up request and a response that takes nothing, for a context outside of a request */
export function anonymousExchange(req: Partial<IncomingMessage> & Record<string, unknown>): {
  request: IncomingMessage;
  response: ServerResponse;
} {
  const { headers, socket, ...rest } = req;
  const request = {
    method: 'GET',
    url: '/',
    ...rest,
    headers: { host: '127.0.0.1', 'x-forwarded-for': '127.0.0.1', ...headers },
    socket: { remoteAddress: '127.0.0.1', remotePort: 7001, ...socket },
  };
  const response = {
    statusCode: 404,
    headersSent: false,
    writable: true,
    getHeaders: () => ({}),
    getHeader: () => undefined,
    hasHeader: () => false,
    setHeader() {},
    removeHeader() {},
    end() {},
  };
  return { request: request as unknown as IncomingMessage, response: response as unknown as ServerResponse };
}
