import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Files, loadApp, serve } from '../support/loaded_app.js';

const QUIET = 'exports.keys = "k1,k2"; exports.logger = { consoleLevel: "NONE" }; exports.security = { csrf: false };';
const routes = (body: string, config = ''): Files => ({
  'app/router.js': `module.exports = (app) => { ${body} };`,
  'config/config.default.js': `${QUIET} ${config}`,
});
const start = (t: TestContext, files: Files, env = 'unittest') => {
  if (env === 'prod') process.env['EGG_HOME'] = '/tmp/clutch-test-home';
  t.after(() => delete process.env['EGG_HOME']);
  return serve(t, loadApp(t, files, { env }));
};

const html = { accept: 'text/html' };
const json = { accept: 'application/json' };

test('an unknown path is answered as JSON or HTML by what the client accepts', async (t) => {
  const ask = await start(t, routes(''));
  assert.equal((await ask('/nope', { headers: html })).body, '<h1>404 Not Found</h1>');
  assert.equal((await ask('/nope', { headers: json })).body, '{"message":"Not Found"}');
  assert.equal((await ask('/nope.json')).body, '{"message":"Not Found"}');
  assert.equal((await ask('/nope')).status, 404);
});

test('config.notfound.pageUrl redirects, but not JSON clients and not itself', async (t) => {
  const ask = await start(t, routes('', 'exports.notfound = { pageUrl: "/404" };'));
  const answer = await ask('/nope', { headers: html });
  assert.equal(answer.status, 302);
  assert.equal(answer.headers.location, '/404');
  assert.equal((await ask('/404', { headers: html })).status, 404);
  assert.equal((await ask('/nope', { headers: json })).body, '{"message":"Not Found"}');
});

const THROWS = routes(`
  app.get('/error', async () => { throw new Error('boom'); });
  app.get('/bad', async () => { throw Object.assign(new Error('bad input'), { status: 400, code: 'E_BAD', errors: [1], headers: { 'x-why': 'bad' } }); });
  app.get('/enoent', async () => { throw Object.assign(new Error('x'), { code: 'ENOENT' }); });
  app.get('/status99', async () => { throw Object.assign(new Error('x'), { status: 99 }); });
  app.get('/string', async () => { throw 'text'; });
  app.get('/object', async () => { throw { status: 418, message: 'teapot' }; });
`);

test('errors tell all in unittest', async (t) => {
  const ask = await start(t, THROWS);
  const page = await ask('/error', { headers: html });
  assert.equal(page.status, 500);
  assert.match(page.body, /Error: boom[\s\S]*at /);
  const data = JSON.parse((await ask('/error', { headers: json })).body);
  assert.equal(data.message, 'boom');
  assert.match(data.stack, /boom/);
  assert.match((await ask('/error', { headers: { accept: 'text/plain' } })).body, /^Error: boom/);
});

test('errors from 500 on tell nothing in prod, those below keep message and errors', async (t) => {
  const ask = await start(t, THROWS, 'prod');
  assert.equal((await ask('/error', { headers: html })).body, '<h2>Internal Server Error, real status: 500</h2>');
  assert.equal((await ask('/error', { headers: json })).body, '{"message":"Internal Server Error"}');
  const bad = await ask('/bad', { headers: json });
  assert.equal(bad.status, 400);
  assert.deepEqual(JSON.parse(bad.body), { code: 'E_BAD', message: 'bad input', errors: [1] });
  assert.equal(bad.headers['x-why'], 'bad');
});

const STATUSES: [path: string, status: number][] = [
  ['/enoent', 404],
  ['/status99', 500],
  ['/string', 500],
  ['/object', 418],
];
for (const [where, status] of STATUSES) {
  test(`what is thrown at ${where} is answered with ${status}`, async (t) => {
    assert.equal((await (await start(t, THROWS))(where)).status, status);
  });
}

test('config.onerror.errorPageUrl redirects HTML clients of prod for 500, nobody else', async (t) => {
  const config = 'exports.onerror = { errorPageUrl: "/50x.html?x=1" };';
  const files = { ...THROWS, 'config/config.prod.js': config };
  const ask = await start(t, files, 'prod');
  const answer = await ask('/error', { headers: html });
  assert.equal(answer.status, 302);
  assert.equal(answer.headers.location, '/50x.html?x=1&real_status=500');
  assert.equal((await ask('/error', { headers: json })).status, 500);
  assert.equal((await ask('/bad', { headers: html })).status, 400);
});

test('errors are logged to common-error.log and the app’s log', async (t) => {
  const app = loadApp(t, THROWS);
  await (await serve(t, app))('/error');
  await app.close();
  for (const file of ['common-error.log', 'demo-web.log']) {
    const text = readFileSync(path.join(app.baseDir, 'logs/demo', file), 'utf8');
    assert.match(
      text,
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} ERROR \d+ \[-\/127\.0\.0\.1\/-\/\d+ms GET \/error\] nodejs\.Error: boom\n +at /,
    );
  }
});

const ECHO = routes(
  "app.post('/', async (ctx) => { ctx.body = { body: ctx.request.body, method: ctx.method }; }); app.put('/', async (ctx) => { ctx.body = 'put'; });",
);
const post = (body: string, type = 'application/json', headers = {}) => ({
  method: 'POST',
  body,
  headers: { 'content-type': type, 'content-length': String(Buffer.byteLength(body)), ...json, ...headers },
});

const BODIES: [what: string, request: ReturnType<typeof post>, status: number, body?: unknown][] = [
  ['JSON', post('{"a":1}'), 200, { a: 1 }],
  ['a form', post('a=1&b[c]=2', 'application/x-www-form-urlencoded'), 200, { a: '1', b: { c: '2' } }],
  ['an empty body', post(''), 200, {}],
  ['text', post('hello', 'text/plain'), 200, {}],
  ['a JSON string', post('"str"'), 400],
  ['malformed JSON', post('{'), 400],
  ['too much JSON', post(JSON.stringify('x'.repeat(1_200_000))), 413],
  ['__proto__ in JSON', post('{"__proto__":{"polluted":1}}'), 400],
];
for (const [what, request, status, body] of BODIES) {
  test(`the body parser answers ${what} with ${status}`, async (t) => {
    const answer = await (await start(t, ECHO))('/', request);
    assert.equal(answer.status, status, answer.body);
    if (body) assert.deepEqual(JSON.parse(answer.body).body, body);
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  });
}

test('a POST may stand for another method, by body or header; a GET may not', async (t) => {
  const ask = await start(t, ECHO);
  assert.equal((await ask('/', post('{"_method":"put"}'))).body, 'put');
  assert.equal((await ask('/', post('', 'application/json', { 'x-http-method-override': 'PUT' }))).body, 'put');
  assert.equal((await ask('/', post('{"_method":"FOO"}'))).status, 400);
  assert.equal((await ask('/', { headers: { 'x-http-method-override': 'PUT' } })).status, 404);
});

test('query has strings, queries has arrays', async (t) => {
  const ask = await start(t, routes("app.get('/', async (ctx) => { ctx.body = [ctx.query, ctx.queries]; });"));
  assert.deepEqual(JSON.parse((await ask('/?a=1&a=2&b[]=3&=x&c=')).body), [
    { a: '1', 'b[]': '3', c: '' },
    { a: ['1', '2'], 'b[]': ['3'], b: ['3'], c: [''] },
  ]);
});

test('headers of a proxy count only behind one', async (t) => {
  const files = (config: string) =>
    routes("app.get('/', async (ctx) => { ctx.body = [ctx.ips, ctx.ip, ctx.protocol, ctx.host]; });", config);
  const headers = {
    'x-forwarded-for': '1.1.1.1, 2.2.2.2, 3.3.3.3',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'evil',
    host: 'me',
  };
  const behind = await start(t, files('exports.proxy = true; exports.maxIpsCount = 2;'));
  assert.deepEqual(JSON.parse((await behind('/', { headers })).body), [
    ['2.2.2.2', '3.3.3.3'],
    '2.2.2.2',
    'https',
    'me',
  ]);
  const direct = await start(t, files(''));
  assert.deepEqual(JSON.parse((await direct('/', { headers })).body), [[], '127.0.0.1', 'http', 'me']);
});

test('cookies are signed; a forged one is not taken; one of an older key is signed anew', async (t) => {
  const body =
    "app.get('/set', async (ctx) => { ctx.cookies.set('a', '1'); ctx.body = ''; }); app.get('/get', async (ctx) => { ctx.body = { a: ctx.cookies.get('a') ?? null }; });";
  const ask = await start(t, routes(body));
  const [cookie, signature] = (await ask('/set')).headers['set-cookie'] as string[];
  assert.match(cookie as string, /^a=1; path=\/; httponly$/);
  assert.match(signature as string, /^a\.sig=[\w-]+; path=\/; httponly$/);
  const sent = `${cookie?.split(';')[0]}; ${signature?.split(';')[0]}`;
  assert.equal((await ask('/get', { headers: { cookie: sent } })).body, '{"a":"1"}');
  const forged = await ask('/get', { headers: { cookie: sent.replace('a=1', 'a=2') } });
  assert.equal(forged.body, '{"a":null}');
  const rotated = await start(t, { ...routes(body), 'config/config.unittest.js': 'exports.keys = "new,k1";' });
  const answer = await rotated('/get', { headers: { cookie: sent } });
  assert.equal(answer.body, '{"a":"1"}');
  assert.match(String(answer.headers['set-cookie']), /a\.sig=/);
});

test('an app without keys runs until it touches a cookie', async (t) => {
  const files = {
    ...routes(
      "app.get('/', async (ctx) => { ctx.cookies.get('a'); }); app.get('/ok', async (ctx) => { ctx.body = 1; });",
    ),
    'config/config.default.js': 'exports.logger = { consoleLevel: "NONE" };',
  };
  const ask = await start(t, files);
  assert.equal((await ask('/ok')).status, 200);
  const answer = await ask('/', { headers: json });
  assert.equal(answer.status, 500);
  assert.match(answer.body, /Please set config\.keys first/);
});

test('locals and state are one object per context, begun from app.locals', async (t) => {
  const app = loadApp(
    t,
    routes(
      "app.get('/', async (ctx) => { ctx.locals = { b: 2 }; ctx.state = { c: 3 }; app.locals = { late: 1 }; ctx.body = [ctx.locals, ctx.state === ctx.locals]; });",
    ),
  );
  app.locals = { a: 1 };
  assert.equal((await (await serve(t, app))('/')).body, '[{"a":1,"b":2,"c":3},true]');
});

test('helper.pathFor and urlFor name routes', async (t) => {
  const ask = await start(
    t,
    routes(
      "app.get('user', '/u/:id', async (ctx) => { ctx.body = [ctx.helper.pathFor('user', { id: 1 }), ctx.helper.urlFor('user', { id: 2 })]; });",
    ),
  );
  assert.deepEqual(JSON.parse((await ask('/u/1', { headers: { host: 'me' } })).body), ['/u/1', 'http://me/u/2']);
});

test('/favicon.ico is answered and cached', async (t) => {
  const answer = await (await start(t, routes('')))('/favicon.ico');
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['cache-control'], 'public, max-age=2592000');
});
