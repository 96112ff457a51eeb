import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import type { TestContext } from 'node:test';
import { ClutchCore } from 'koa-clutch';

const { serverOptions } = ClutchCore.prototype;

export type FastResponse = InstanceType<typeof serverOptions.ServerResponse>;

/** Whether the answer has been given and waits for the end of the turn. */
export function isWaiting(res: http.ServerResponse): boolean {
  return res.headersSent && !res.writableEnded;
}

/** Starts a server with Clutch's server options, and connections whose requests come to it in one turn of the event loop. */
export async function startBursts(
  t: TestContext,
  connections: number,
  handler: (req: http.IncomingMessage, res: FastResponse) => void,
): Promise<{ server: http.Server; ask(paths: string[]): Promise<string[]> }> {
  const server = http.createServer(serverOptions, handler);
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

/** @returns the body of the answer; what has come, when the connection is closed before it is whole */
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
