import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { loadApp } from '../../support/loaded_app.js';

const ROUTES = `module.exports = (app) => {
  app.get('/json', (ctx) => { ctx.body = { a: 1 }; });
  app.get('/text', (ctx) => { ctx.message = 'Fine'; ctx.body = 'hello ' + ctx.message; });
  app.get('/status', (ctx) => { ctx.status = 202; });
  app.get('/stream', (ctx) => { ctx.body = require('node:stream').Readable.from(['a', 'b']); });
  app.get('/throw', (ctx) => ctx.throw(500, 'no'));
  app.get('/away', (ctx) => ctx.redirect('/json'));
  app.post('/unread', (ctx) => ctx.throw(409, 'no'));
};`;

async function serve2(t: TestContext) {
  const app = loadApp(t, {
    'app/router.js': ROUTES,
    'config/config.default.js': `exports.keys = 'k'; exports.logger = { consoleLevel: 'NONE' };
      exports.security = { csrf: { type: 'fetchSite' } };`,
  });
  await app.ready();
  const server = http2.createServer(app.callback() as never);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  t.after(() => {
    client.destroy();
    server.close();
  });
  return async (path: string, headers: http2.OutgoingHttpHeaders = {}, body?: Buffer) => {
    const stream = client.request({ ':path': path, ...headers }, { endStream: body === undefined });
    const response = once(stream, 'response');
    if (body) stream.end(body);
    stream.setEncoding('utf8');
    let text = '';
    stream.on('data', (chunk) => (text += chunk));
    const ended = once(stream, 'end');
    const [head] = await response;
    await ended;
    return { status: head[':status'], body: text };
  };
}

test('HTTP/2 gets every kind of response, without a warning about reason phrases', async (t) => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on('warning', onWarning);
  t.after(() => process.off('warning', onWarning));
  const ask = await serve2(t);
  const json = { accept: 'application/json' };
  assert.deepEqual(await ask('/json'), { status: 200, body: '{"a":1}' });
  assert.deepEqual(await ask('/text'), { status: 200, body: 'hello Not Found' });
  assert.deepEqual(await ask('/status'), { status: 202, body: '202' });
  assert.deepEqual(await ask('/stream'), { status: 200, body: 'ab' });
  assert.equal((await ask('/throw')).status, 500);
  assert.equal(JSON.parse((await ask('/throw', json)).body).message, 'no');
  assert.deepEqual(await ask('/none', json), { status: 404, body: '{"message":"Not Found"}' });
  assert.equal((await ask('/none')).body, '<h1>404 Not Found</h1>');
  assert.equal((await ask('/away')).status, 302);
  assert.deepEqual(await ask('/json', { ':method': 'HEAD' }), { status: 200, body: '' });
  const upload = { ':method': 'POST', 'content-type': 'application/octet-stream', ...json };
  assert.equal((await ask('/unread', upload, Buffer.alloc(300_000))).status, 409);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(warnings, []);
});
