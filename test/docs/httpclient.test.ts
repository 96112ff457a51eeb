import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { loadApp, serve } from '../support/loaded_app.js';
import { filesOf } from '../support/page.js';

test('docs/httpclient.md: the app asks the weather, and has its clients', async (t) => {
  const seen: string[] = [];
  const upstream = http.createServer((req, res) => {
    seen.push(`${req.url} ${req.headers['x-request-id']}`);
    res.statusCode = seen.length < 2 ? 503 : 200;
    res.end('{"sun":true}');
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  t.after(() => upstream.close());
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const app = loadApp(t, {
    ...filesOf('docs/httpclient.md'),
    'config/config.unittest.js': `exports.weather = { url: '${url}' };`,
    'config/plugin.js': "exports.redis = { enable: true, path: __dirname + '/../lib/plugin/redis' };",
    'lib/plugin/redis/package.json': '{ "name": "redis", "eggPlugin": { "name": "redis" } }',
  }) as ReturnType<typeof loadApp> & { redis?: { get(id: string): { address: string } } };
  const reply = await (await serve(t, app))('/weather?city=Berlin', { headers: { 'x-request-id': 'r1' } });
  assert.deepEqual(JSON.parse(reply.body), { status: 200, weather: { sun: true } });
  assert.deepEqual(seen, ['/today?city=Berlin r1', '/today?city=Berlin r1']);
  assert.equal((await (await serve(t, app))('/forecast')).body, '{"sun":true}');
  assert.equal(seen[2], '/tomorrow ');
  assert.equal(app.redis?.get('sessions').address, '127.0.0.1:6380');
});
