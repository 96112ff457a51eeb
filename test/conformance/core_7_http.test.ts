import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { start } from 'koa-clutch';
import { cookiesOf } from '../support/client.js';
import type { HttpOptions } from '../support/http.js';
import { loadApp, writeApp } from '../support/loaded_app.js';
import { sendNonsense } from '../support/nonsense.js';
import { serveRoutes } from '../support/served_app.js';

const ECHO = "app.all('/', async (ctx) => { ctx.body = { method: ctx.method, body: ctx.request.body }; });";
const json = (body: string): HttpOptions => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', 'content-length': String(body.length) },
  body,
});

test('core 7.70 bodies: what is refused, and what is not parsed', async (t) => {
  const { ask } = await serveRoutes(t, ECHO);
  assert.equal((await ask('/', json('"str"'))).status, 400);
  assert.equal((await ask('/', json('{"a":'))).status, 400);
  assert.equal((await ask('/', json(JSON.stringify({ a: 'x'.repeat(1_153_434) })))).status, 413);
  assert.equal((await ask('/', json('{"__proto__":{"a":1}}'))).status, 400);
  const text = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'hello' };
  assert.equal((await ask('/', text)).body, '{"method":"POST","body":{}}');
});

test('core 7.71 the method can be overridden by POST only, and by a known one', async (t) => {
  const { ask } = await serveRoutes(t, ECHO);
  const method = async (options: HttpOptions) =>
    (JSON.parse((await ask('/', options)).body) as { method: string }).method;
  assert.equal(await method(json('{"_method":"put"}')), 'PUT');
  assert.equal(await method({ headers: { 'x-http-method-override': 'PUT' } }), 'GET');
  assert.equal((await ask('/', json('{"_method":"FOO"}'))).status, 400);
});

test('core 7.72 query has the first value of a name, queries all values', async (t) => {
  const { ask } = await serveRoutes(t, "app.get('/', async (ctx) => { ctx.body = [ctx.query, ctx.queries]; });");
  assert.deepEqual(JSON.parse((await ask('/?a=1&a=2&b[]=3&=x&c=')).body), [
    { a: '1', 'b[]': '3', c: '' },
    { a: ['1', '2'], 'b[]': ['3'], b: ['3'], c: [''] },
  ]);
});

test('core 7.73 behind a proxy the last maxIpsCount addresses count; X-Forwarded-Host does not', async (t) => {
  const { ask } = await serveRoutes(
    t,
    "app.get('/', async (ctx) => { ctx.body = [ctx.ips, ctx.ip, ctx.host]; });",
    'exports.proxy = true; exports.maxIpsCount = 2;',
  );
  const headers = { host: 'here', 'x-forwarded-for': '1.1.1.1, 2.2.2.2, 3.3.3.3', 'x-forwarded-host': 'there' };
  assert.deepEqual(JSON.parse((await ask('/', { headers })).body), [['2.2.2.2', '3.3.3.3'], '2.2.2.2', 'here']);
});

test('core 7.74 cookies are signed; a wrong signature is removed, one of an older key renewed', async (t) => {
  const { app, ask } = await serveRoutes(
    t,
    `app.get('/set', async (ctx) => { ctx.cookies.set('a', 'b'); ctx.body = ''; });
     app.get('/', async (ctx) => { ctx.body = String(ctx.cookies.get('a')); });`,
  );
  const set = await ask('/set');
  assert.equal(set.headers['set-cookie']?.length, 2);
  for (const line of set.headers['set-cookie'] ?? []) assert.match(line, /^a(?:\.sig)?=[\w-]+; path=\/; httponly$/);
  const signature = cookiesOf(set)['a.sig'] as string;
  const wrong = await ask('/', { headers: { cookie: 'a=b; a.sig=nonsense' } });
  assert.equal(wrong.body, 'undefined');
  assert.match(wrong.headers['set-cookie']?.[0] as string, /^a\.sig=; .*expires=Thu, 01 Jan 1970/);
  const { default: Keygrip } = await import('keygrip');
  assert.deepEqual(app.keys, ['first', 'second']);
  const older = new Keygrip(['second'], 'sha256', 'base64').sign('a=b');
  const renewed = await ask('/', { headers: { cookie: `a=b; a.sig=${older}` } });
  assert.equal(renewed.body, 'b');
  assert.equal(cookiesOf(renewed)['a.sig'], signature);
});

test('core 7.75 an app without keys boots; the first use of cookies is a 500', async (t) => {
  const { app, ask } = await serveRoutes(
    t,
    "app.get('/', async (ctx) => { ctx.cookies.get('a'); }); app.get('/fine', async (ctx) => { ctx.body = 'fine'; });",
    "exports.keys = '';",
  );
  assert.equal((await ask('/fine')).body, 'fine');
  const failed = once(app, 'error');
  assert.equal((await ask('/')).status, 500);
  assert.match(((await failed)[0] as Error).message, /Please set config\.keys first/);
});

test('core 7.76 what is no HTTP is a 400, or what onClientError returns', async (t) => {
  assert.match((await sendNonsense(t)).response, /^HTTP\/1\.1 400 Bad Request\r\n/);
  const result = `{ status: 418, headers: { 'x-a': 'one\\r\\ntwo: 2' }, body: 'tea' }`;
  const { response } = await sendNonsense(t, `exports.onClientError = async () => (${result});`);
  assert.match(response, /^HTTP\/1\.1 418 /);
  assert.doesNotMatch(response, /\r\ntwo: 2/);
  assert.match(response, /\r\n\r\ntea$/);
});

test('core 7.77 an error of runInBackground is an error event with ctx', async (t) => {
  const { app, ask } = await serveRoutes(
    t,
    "app.get('/', async (ctx) => { ctx.runInBackground(async () => { throw new Error('behind'); }); ctx.body = 'ok'; });",
  );
  const failed = once(app, 'error');
  await ask('/');
  const [error, ctx] = await failed;
  assert.equal(error.message, 'behind');
  assert.equal(error.runInBackground, true);
  assert.equal(ctx.path, '/');
});

test('core 7.78 ctx.locals and ctx.state are one, over what app.locals were', async (t) => {
  const { ask } = await serveRoutes(
    t,
    `app.locals = { a: 1 };
     app.get('/', async (ctx) => { ctx.locals = { b: 2 }; ctx.state = { c: 3 };
       const before = { ...ctx.locals }; app.locals = { d: 4 }; ctx.body = [before, ctx.locals, ctx.state === ctx.locals]; });`,
  );
  const [before, after, same] = JSON.parse((await ask('/')).body) as [object, object, boolean];
  for (const locals of [before, after]) {
    const { a, b, c, d } = locals as Record<string, unknown>;
    assert.deepEqual([a, b, c, d], [1, 2, 3, undefined]);
  }
  assert.equal(same, true);
});

test('core 7.79 addSingleton: client with clients, a name that is taken, and an async client', async (t) => {
  const { app } = await serveRoutes(
    t,
    '',
    'exports.both = { client: {}, clients: {} }; exports.one = { client: { a: 1 } };',
  );
  assert.throws(() => app.addSingleton('both', () => ({})), /client.* clients/s);
  app.addSingleton('one', () => ({}));
  assert.throws(() => app.addSingleton('one', () => ({})), /one.*exist/s);
  const late = loadApp(t, {
    'config/config.default.js': 'exports.late = { client: { a: 1 } };',
    'app.js':
      'module.exports = (app) => { app.addSingleton("late", async (config) => config); app.early = app.late; };',
  });
  assert.equal(Reflect.get(late, 'early'), undefined);
  await late.ready();
  assert.equal((Reflect.get(late, 'late') as { a: number }).a, 1);
});

test('core 7.80 in single mode the Agent closes after the hooks of the app, and listeners are removed', async (t) => {
  const before = process.listenerCount('unhandledRejection');
  const hook = (who: string) =>
    `module.exports = class { async beforeClose() { (globalThis.closed ??= []).push('${who}'); } };`;
  const baseDir = writeApp(t, {
    ...{ 'app.js': hook('app'), 'agent.js': hook('agent') },
    'config/config.default.js': 'exports.logger = { consoleLevel: "NONE" };',
  });
  const app = await start({ baseDir, env: 'unittest' });
  assert.ok(process.listenerCount('unhandledRejection') > before);
  await app.close();
  assert.deepEqual(Reflect.get(globalThis, 'closed'), ['app', 'agent']);
  assert.equal(process.listenerCount('unhandledRejection'), before);
});
