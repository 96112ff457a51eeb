import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { browser } from '../../support/client.js';
import { loadApp, serve } from '../../support/loaded_app.js';

const ROUTES = `module.exports = (app) => {
  const answer = (ctx) => { ctx.body = { a: 1, jsonp: ctx.acceptJSONP }; };
  app.get('/j', app.jsonp(), answer);
  app.get('/plain', answer);
  app.get('/own', app.jsonp({ callback: 'fn', limit: 3 }), answer);
  app.get('/listed', app.jsonp({ whiteList: ['.test.com', /^https:\\/\\/exact\\.org\\//] }), answer);
  app.get('/csrf', app.jsonp({ csrf: true, whiteList: 'ok.com' }), answer);
  app.get('/throw', app.jsonp(), () => { throw new Error('broken'); });
  app.get('/none', app.jsonp(), (ctx) => { ctx.status = 204; });
  app.get('/lines', app.jsonp(), (ctx) => { ctx.body = ['\\u2028']; });
  app.get('/stream', app.jsonp(), (ctx) => { ctx.body = require('node:stream').Readable.from(['text']); });
  app.get('/secret', (ctx) => { ctx.body = ctx.csrf; });
};`;

const start = (t: TestContext) =>
  serve(
    t,
    loadApp(t, {
      'app/router.js': ROUTES,
      'config/config.default.js': 'exports.keys = "k"; exports.logger = { consoleLevel: "NONE" };',
    }),
  );
const call = (name: string, json: string): string => `/**/ typeof ${name} === 'function' && ${name}(${json});`;

test('a route with app.jsonp() calls the function that the client names', async (t) => {
  const ask = await start(t);
  const { status, headers, body } = await ask('/j?callback=fn');
  assert.equal(status, 200);
  assert.equal(body, call('fn', '{"a":1,"jsonp":true}'));
  assert.equal(headers['content-type'], 'application/javascript; charset=utf-8');
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal((await ask('/j?callback=b&_callback=a')).body, call('a', '{"a":1,"jsonp":true}'));
  assert.equal((await ask('/own?fn=abcdef')).body, call('abc', '{"a":1,"jsonp":true}'));
});

test('without a callback, and on other routes, it is JSON', async (t) => {
  const ask = await start(t);
  for (const path of [
    '/j',
    '/j?callback=',
    '/plain?callback=fn',
    '/own?callback=fn',
    '/j?callback[]=fn',
    '/j?__proto__=x',
  ]) {
    assert.equal((await ask(path)).body, '{"a":1,"jsonp":false}', path);
  }
});

const NAMES: [given: string, name: string | undefined][] = [
  ['a.b[0].$c_', 'a.b[0].$c_'],
  ['<script>alert(1)</script>', 'scriptalert1script'],
  ['a\r\nset-cookie: x', 'asetcookiex'],
  ['日本', undefined],
  ['x'.repeat(5000), 'x'.repeat(50)],
];
for (const [given, name] of NAMES) {
  test(`the callback ${JSON.stringify(given.slice(0, 30))} can do nothing but be called`, async (t) => {
    const { body } = await (await start(t))(`/j?callback=${encodeURIComponent(given)}`);
    assert.equal(body, name === undefined ? '{"a":1,"jsonp":false}' : call(name, '{"a":1,"jsonp":true}'));
  });
}

test('a white list lets pages of its hosts ask', async (t) => {
  const ask = await start(t);
  const of = async (referer: string) => (await ask('/listed?callback=f', { headers: { referer } })).status;
  assert.equal(await of('http://test.com/'), 200);
  assert.equal(await of('http://a.b.test.com/x'), 200);
  assert.equal(await of('https://exact.org/x'), 200);
  for (const referer of ['http://test.com.evil.com/', 'http://xtest.com/', 'https://sub.exact.org/', 'no address']) {
    assert.equal(await of(referer), 403, referer);
  }
  const refused = await ask('/listed?callback=f');
  assert.equal(refused.status, 403);
  assert.match(refused.body, /jsonp request security validate failed/);
});

test('csrf: true lets those with a token ask, or of the white list', async (t) => {
  const { ask } = browser(await start(t));
  const token = (await ask('/secret')).body;
  assert.equal((await ask('/csrf?callback=f')).status, 403);
  assert.equal((await ask(`/csrf?callback=f&_csrf=${token}`)).status, 200);
  assert.equal((await ask('/csrf?callback=f', { headers: { referer: 'https://ok.com/' } })).status, 200);
});

test('an error is a call too; what has no body, or is a stream, stays as it is', async (t) => {
  const ask = await start(t);
  const broken = await ask('/throw?callback=f');
  assert.equal(broken.status, 500);
  assert.match(broken.body, /^\/\*\*\/ typeof f === 'function' && f\(\{.*"message":"broken"/);
  assert.equal((await ask('/none?callback=f')).status, 204);
  assert.equal((await ask('/lines?callback=f')).body, call('f', '["\\u2028"]'));
  assert.equal((await ask('/stream?callback=f')).body, 'text');
});
