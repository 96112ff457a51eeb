import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { HttpOptions } from '../support/http.js';
import { loadApp, serve, writeApp } from '../support/loaded_app.js';
import { runScript } from '../support/script.js';
import { serveExpression } from '../support/served_app.js';

const CONFIG = "exports.keys = ' a , b ';";

test('core 1.6.server is null until there is one', async (t) => {
  const app = loadApp(t);
  assert.equal(app.server, null);
  await serve(t, app);
  assert.ok(app.server);
});

test('core 1.6.locals are merged into one object', (t) => {
  const app = loadApp(t);
  const { locals } = app;
  app.locals = { a: 1 };
  app.locals = { b: 2 };
  assert.equal(app.locals, locals);
  const { a, b } = app.locals;
  assert.deepEqual([a, b], [1, 2]);
});

test('core 1.6.keys are split and trimmed, and cannot be set', (t) => {
  const app = loadApp(t, { 'config/config.default.js': CONFIG });
  app.keys = ['x'];
  assert.deepEqual(app.keys, ['a', 'b']);
  assert.throws(() => loadApp(t).keys, /Please set config\.keys first/);
});

test('core 1.6.Helper is a class of the app', (t) => {
  const [one, two] = [loadApp(t), loadApp(t)];
  assert.notEqual(one.Helper, two.Helper);
  assert.ok(new one.Helper(one.createAnonymousContext()) instanceof one.BaseContextClass);
});

test('core 1.6.runInBackground runs with a context of its own', async (t) => {
  const app = loadApp(t);
  const seen = new Promise((resolve) => {
    app.runInBackground(async (ctx) => resolve(ctx === app.currentContext));
  });
  assert.equal(await seen, true);
});

test('core 1.6.handleRequest emits request and response', async (t) => {
  const { app, evaluate } = await serveExpression(t, '1');
  const [request, response] = [once(app, 'request'), once(app, 'response')];
  await evaluate();
  assert.equal((await request)[0], (await response)[0]);
});

const expressions: [
  id: string,
  title: string,
  expression: string,
  expected: unknown,
  path?: string,
  options?: HttpOptions,
][] = [
  ['cookies', 'are made once', 'ctx.cookies === ctx.cookies && ctx.cookies instanceof app.ContextCookies', true],
  ['httpclient', 'has ctx, by two names', '[ctx.httpclient === ctx.httpClient, typeof ctx.curl]', [true, 'function']],
  ['router', 'is that of the app', 'ctx.router === app.router', true],
  ['helper', 'is made once', 'ctx.helper === ctx.helper && ctx.helper instanceof app.Helper', true],
  [
    'getLogger',
    'gives null for an unknown name',
    '[ctx.getLogger("none"), typeof ctx.getLogger("logger").info]',
    [null, 'function'],
  ],
  [
    'logger',
    'and coreLogger are shortcuts',
    '[typeof ctx.logger.info, typeof ctx.coreLogger.info]',
    ['function', 'function'],
  ],
  [
    'locals',
    'are state, and one object',
    '(ctx.locals = { a: 1 }, [ctx.state === ctx.locals, ctx.locals.a])',
    [true, 1],
  ],
  [
    'delegates',
    'acceptJSON, queries, ip and realStatus',
    '(ctx.ip = "1.2.3.4", ctx.realStatus = 418, [ctx.acceptJSON, ctx.queries, ctx.ip, ctx.realStatus])',
    [false, { a: ['1', '2'] }, '1.2.3.4', 418],
    '/?a=1&a=2',
  ],
  [
    'host',
    'does not trust X-Forwarded-Host',
    'ctx.host',
    'here',
    '/',
    { headers: { host: 'here', 'x-forwarded-host': 'there' } },
  ],
  ['protocol', 'is http without a proxy', 'ctx.protocol', 'http', '/', { headers: { 'x-forwarded-proto': 'https' } }],
  ['ips', 'is empty without a proxy', 'ctx.ips', [], '/', { headers: { 'x-forwarded-for': '1.1.1.1' } }],
  ['ip', 'has no ::ffff:', 'ctx.ip', '127.0.0.1'],
  ['acceptJSON', 'is true for .json', 'ctx.acceptJSON', true, '/a.json'],
  ['acceptAny', 'is false for */*', 'ctx.acceptJSON', false, '/', { headers: { accept: '*/*' } }],
  [
    'query',
    'has texts, and can be set',
    '(ctx.query.a === "1", ctx.query = { b: "2" }, [ctx.query, ctx.querystring])',
    [{ b: '2' }, 'b=2'],
    '/?a=1',
  ],
  ['queries', 'has lists; x[] is x too', 'ctx.queries', { 'x[]': ['1'], x: ['1'] }, '/?x[]=1'],
  ['realStatus', 'is the status by default', 'ctx.response.realStatus === ctx.status', true],
  [
    'pathFor',
    'and urlFor of the helper',
    '(app.router.get("p", "/p/:id", async () => {}), [ctx.helper.pathFor("p", { id: 1 }), ctx.helper.urlFor("p", { id: 1 })])',
    ['/p/1', 'http://here/p/1'],
    '/',
    { headers: { host: 'here' } },
  ],
];

for (const [id, title, expression, expected, path, options] of expressions) {
  test(`core 1.8.${id} ${title}`, async (t) => {
    const { evaluate } = await serveExpression(t, expression);
    assert.deepEqual(await evaluate(path, options), expected);
  });
}

test('core 1.8.hostHeaders behind a proxy the first host and protocol of the headers count', async (t) => {
  const config = "exports.proxy = true; exports.hostHeaders = 'x-forwarded-host';";
  const { evaluate } = await serveExpression(t, '[ctx.host, ctx.protocol]', config);
  const headers = { 'x-forwarded-host': 'a.com, b.com', 'x-forwarded-proto': 'https,http' };
  assert.deepEqual(await evaluate('/', { headers }), ['a.com', 'https']);
});

test('core 1.8.maxProxyCount keeps one address more', async (t) => {
  const { evaluate } = await serveExpression(t, 'ctx.ips', 'exports.proxy = true; exports.maxProxyCount = 1;');
  assert.deepEqual(await evaluate('/', { headers: { 'x-forwarded-for': '1.1.1.1, 2.2.2.2, 3.3.3.3' } }), [
    '2.2.2.2',
    '3.3.3.3',
  ]);
});

test('core 1.5.addSingleton adds clients of config', (t) => {
  const app = loadApp(t, {
    'config/config.default.js': 'exports.kit = { clients: { one: { a: 1 } }, default: { b: 2 } };',
  });
  app.addSingleton('kit', (config: object) => config);
  assert.deepEqual((Reflect.get(app, 'kit') as { get(id: string): object }).get('one'), { a: 1, b: 2 });
});

test('core 1.5.rejections are logged, as unhandledRejectionError', async (t) => {
  const app = loadApp(t, { 'config/config.unittest.js': 'exports.logger = { consoleLevel: "NONE" };' });
  const logged = new Promise<Error>((resolve) => {
    app.coreLogger.error = (error: unknown) => resolve(error as Error);
  });
  // Not emitted: the test runner listens, too.
  const listener = process.listeners('unhandledRejection').at(-1) as (reason: unknown) => void;
  listener(new Error('nobody listens'));
  assert.equal((await logged).name, 'unhandledRejectionError');
});

test('core 1.5.rejectionOnce a rejection under start() is logged once', async (t) => {
  const dir = writeApp(t, {
    'config/config.default.js': 'exports.keys = "k"; exports.logger = { disableConsoleAfterReady: false };',
  });
  const script = `
    import { start } from 'koa-clutch';
    const app = await start({ baseDir: process.cwd() });
    process.once('unhandledRejection', () => setImmediate(() => app.close()));
    void Promise.reject(new Error('nobody listens'));`;
  const { code, output } = await runScript(t, dir, script);
  assert.equal(code, 0, output);
  assert.equal(output.split('nobody listens').length, 2, output);
  assert.match(output, /unhandledRejectionError: nobody listens/);
});

test('core 1.5.close gives back the listener for rejections', async () => {
  const before = process.listenerCount('unhandledRejection');
  const { Application } = await import('koa-clutch');
  const app = new Application({
    baseDir: `${process.cwd()}/test/fixtures/apps/egg-app`,
    env: 'unittest',
    mode: 'single',
  });
  assert.equal(process.listenerCount('unhandledRejection'), before + 1);
  await app.ready();
  await app.close();
  assert.equal(process.listenerCount('unhandledRejection'), before);
});

test('core 1.6.events server, error and close are emitted', async (t) => {
  const { app, evaluate } = await serveExpression(t, 'Promise.reject(new Error("inside"))');
  assert.ok(app.server);
  const failed = once(app, 'error');
  await evaluate('/', { headers: { accept: 'application/json' } }).catch(() => undefined);
  assert.match(((await failed)[0] as Error).message, /inside/);
  const closed = once(app, 'close');
  await app.close();
  await closed;
});

test('core 1.8.runInBackground goes on after the response', async (t) => {
  const expression = `(ctx.runInBackground(async (own) => { app.emit('behind', own === ctx); }), 1)`;
  const { app, evaluate } = await serveExpression(t, expression);
  const behind = once(app, 'behind');
  assert.equal(await evaluate(), 1);
  assert.deepEqual(await behind, [true]);
});

test('core 1.8.runInBackground takes a generator function, as Egg 3', async (t) => {
  const expression = `(ctx.runInBackground(function* (own) { app.emit('behind', own === (yield Promise.resolve(ctx))); }), 1)`;
  const { app, evaluate } = await serveExpression(t, expression);
  const behind = once(app, 'behind');
  assert.equal(await evaluate(), 1);
  assert.deepEqual(await behind, [true]);
});

test('core 1.8.type of the response: an unknown one removes the header', async (t) => {
  const expression = '(ctx.type = "json", ctx.type = "no-such-type", ctx.response.has("content-type"))';
  assert.equal(await (await serveExpression(t, expression)).evaluate(), false);
});
