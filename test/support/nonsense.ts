import { once } from 'node:events';
import net from 'node:net';
import type { TestContext } from 'node:test';
import { serveRoutes } from './served_app.js';

/** Sends an app with that config what is no HTTP. @returns all that comes back */
export async function sendNonsense(t: TestContext, config = '') {
  const { app } = await serveRoutes(t, '', config);
  const { port } = (app.server as net.Server).address() as net.AddressInfo;
  const socket = net.connect(port, '127.0.0.1');
  socket.write('nonsense\r\n\r\n');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'close');
  return { app, response: Buffer.concat(chunks).toString() };
}
