import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import type { TestContext } from 'node:test';
import { fastClasses } from './fast_classes.js';
import { sortHeaders } from './http.js';

export type Handler = (req: http.IncomingMessage, res: http.ServerResponse, see: (value: unknown) => void) => unknown;

export const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const LAST = 'GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';

/** Sends the bytes and a last request on one connection. @returns all that arrives until it is closed */
function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes + LAST));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
  });
}

/**
 * Runs a handler on a server of Node's and on one with the fast classes. The bytes that a client receives must be the same,
 * except for the order of headers, and so must be what the handler has seen.
 */
export async function sameAsNode(t: TestContext, handler: Handler, bytes: string = GET): Promise<void> {
  const outcomes = [];
  for (const options of [{}, fastClasses]) {
    const seen: unknown[] = [];
    const server = http.createServer(options, (req, res) => {
      if (req.url === '/last') res.end('last');
      else handler(req, res, (value) => seen.push(value));
    });
    server.listen(0);
    t.after(() => server.close());
    const responses = await exchange((server.address() as net.AddressInfo).port, bytes);
    outcomes.push({ responses: sortHeaders(responses), seen });
  }
  const [node, own] = outcomes;
  assert.deepEqual(own, node);
  assert.match(own?.responses as string, /^HTTP\/1.1 \d{3} /);
}
