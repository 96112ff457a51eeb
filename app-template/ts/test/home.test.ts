import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { start } from 'koa-clutch';

let close: () => Promise<void>;
let url: string;

before(async () => {
  process.env.EGG_SERVER_ENV = 'unittest';
  const app = await start();
  const server = app.listen(0);
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  close = async () => {
    server.close();
    server.closeAllConnections();
    await app.close();
  };
});

after(() => close());

test('GET / says hello and shows the greeting of the Agent', async () => {
  const response = await fetch(url);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('x-powered-by'), 'clutch');
  const body = (await response.json()) as { message: string; greetings: string[] };
  assert.equal(body.message, 'Hello from Clutch');
  assert.equal(body.greetings.length, 1);
});

test('GET /users/:id finds a user, or answers 404', async () => {
  const found = await fetch(`${url}/users/1`);
  assert.deepEqual(await found.json(), { id: '1', name: 'Ada' });
  const missing = await fetch(`${url}/users/9`);
  assert.equal(missing.status, 404);
});
