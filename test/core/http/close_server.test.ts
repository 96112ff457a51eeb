import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { test } from 'node:test';
import { loadApp } from '../../support/loaded_app.js';

test('app.close() closes the server of app.listen(): what is in flight has its response, nothing is left open', async (t) => {
  const app = loadApp(t, {
    'app/router.js': `module.exports = (app) => app.get('/', (ctx) => new Promise((resolve) => {
      app.emit('in flight');
      setTimeout(() => { ctx.body = 'done'; resolve(); }, 200);
    }));`,
  });
  await app.ready();
  const server = app.listen(0);
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const idle = net.connect(port, '127.0.0.1');
  await once(idle, 'connect');
  const agent = new http.Agent({ keepAlive: true });
  const inFlight = once(app, 'in flight');
  const answered = once(http.get({ port, host: '127.0.0.1', agent }), 'response') as Promise<[http.IncomingMessage]>;
  await inFlight;
  const idleClosed = once(idle.resume(), 'close');
  await Promise.all([app.close(), idleClosed]);
  const [response] = await answered;
  assert.equal(response.statusCode, 200);
  response.resume();
  agent.destroy();
  assert.equal(server.listening, false);
});
