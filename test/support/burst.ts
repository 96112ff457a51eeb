import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import type { TestContext } from 'node:test';
import type { FastResponse } from '../../core/http/fast_response.js';
import { fastClasses } from './fast_classes.js';

export type { FastResponse };

/** @returns whether the response is complete and waits for the end of its event-loop iteration */
export function isWaiting(res: http.ServerResponse): boolean {
  return res.headersSent && !res.writableEnded;
}

/** Starts a server with the fast classes, and connections whose requests reach it in one event-loop iteration. */
export async function startBursts(
  t: TestContext,
  connections: number,
  handler: (req: http.IncomingMessage, res: FastResponse) => void,
): Promise<{ server: http.Server; ask(paths: string[]): Promise<string[]> }> {
  const server = http.createServer(fastClasses, handler as http.RequestListener<typeof http.IncomingMessage, never>);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const sockets = await connect(port, connections);
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { server, ask: (paths) => Promise.all(paths.map((path, index) => ask(sockets[index] as net.Socket, path))) };
}

export function connect(port: number, connections: number): Promise<net.Socket[]> {
  return Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = net.connect(port, '127.0.0.1');
      await once(socket, 'connect');
      return socket;
    }),
  );
}

/** @returns the body of the response; if the connection is closed too early, what has arrived */
export function ask(socket: net.Socket, path: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const end = (): void => {
      socket.off('data', onData).off('close', end).off('error', end);
      resolve(text.split('\r\n\r\n')[1] ?? text);
    };
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      const [head, body] = text.split('\r\n\r\n') as [string, string | undefined];
      if (body !== undefined && body.length >= Number(/content-length: (\d+)/i.exec(head)?.[1])) end();
    };
    socket.on('data', onData).on('close', end).on('error', end);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  });
}
