import { once } from 'node:events';

import { test } from 'node:test';
import { app, assert } from 'koa-clutch/mock/bootstrap';

const form = (text) => ({
  method: 'POST',
  url: '/notes',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  payload: new URLSearchParams({ author: 'Grace', text }).toString(),
});

test('a note of the form is on the page, and the name is remembered', async () => {
  app.mockCsrf();
  const saved = await app.inject(form('<b>A moth</b>'));
  assert.equal(saved.statusCode, 302);
  const cookies = Object.fromEntries(saved.cookies.map(({ name, value }) => [name, value]));
  const { payload } = await app.inject({ url: '/', cookies });
  assert.match(payload, /&lt;b&gt;A moth&lt;\/b&gt;/);
  assert.match(payload, /Your note is saved/);
  assert.match(payload, /name="author" value="Grace"/);
});

test('a form of another site is refused', async () => {
  assert.equal((await app.inject(form('spam'))).statusCode, 403);
});

test('an open page is told of notes by the Agent', async (t) => {
  const server = app.listen(0);
  await once(server, 'listening');
  const leave = new AbortController();
  t.after(() => {
    leave.abort();
    server.close();
  });
  const { port } = server.address();
  const { body } = await fetch(`http://127.0.0.1:${port}/live`, { signal: leave.signal });
  assert.ok(body);
  const events = body.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  await events.next(); // connected
  await app.inject({ method: 'POST', url: '/api/notes', payload: { author: 'Ada', text: 'live' } });
  const { value } = await events.next();
  assert.match(String(value), /event: created/);
  assert.match(String(value), /"text":"live"/);
});
