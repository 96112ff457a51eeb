import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { temporaryDirectory } from '../support/apps.js';
import { setEnvironment } from '../support/environment.js';
import type { HttpOptions } from '../support/http.js';
import { loadApp, serve } from '../support/loaded_app.js';

async function asking(t: TestContext, { routes = '', config = '', env = 'unittest' } = {}) {
  setEnvironment(t, { EGG_HOME: temporaryDirectory(t) });
  const app = loadApp(
    t,
    {
      'config/config.default.js': `exports.keys = 'k'; exports.security = { csrf: false }; ${config}`,
      'app/router.js': `module.exports = (app) => { ${routes} };`,
    },
    { env },
  );
  return serve(t, app);
}

const ECHO =
  "app.all('/', async (ctx) => { ctx.body = { method: ctx.method, body: ctx.request.body, raw: ctx.request.rawBody }; });";
const post = (type: string, body: string): HttpOptions => ({ method: 'POST', headers: { 'content-type': type }, body });

test('core 5.3.meta sets x-readtime in whole milliseconds, not on errors', async (t) => {
  const ask = await asking(t, { routes: `${ECHO} app.get('/error', () => { throw new Error('x'); });` });
  assert.match((await ask('/')).headers['x-readtime'] as string, /^\d+$/);
  assert.equal((await ask('/error')).headers['x-readtime'], undefined);
});

test('core 5.3.siteFile serves buffers, redirects to texts, and calls functions', async (t) => {
  const ask = await asking(t, {
    config: `exports.siteFile = { '/robots.txt': Buffer.from('none'), '/to': '/there', '/fn': async (ctx) => Buffer.from(ctx.path) };`,
  });
  const robots = await ask('/robots.txt');
  assert.deepEqual(
    [robots.status, robots.body, robots.headers['cache-control']],
    [200, 'none', 'public, max-age=2592000'],
  );
  assert.match(robots.headers['content-type'] as string, /^text\/plain/);
  assert.equal((await ask('/to')).headers.location, '/there');
  assert.equal((await ask('/fn')).body, '/fn');
  assert.equal((await ask('/robots.txt', { method: 'POST' })).status, 404);
  assert.equal((await ask('/favicon.ico')).status, 200);
});

test('core 5.3.notfound responds where the body is empty and the status 404', async (t) => {
  const ask = await asking(t, { routes: "app.get('/own', async (ctx) => { ctx.status = 404; ctx.body = 'own'; });" });
  assert.equal((await ask('/own')).body, 'own');
  assert.match((await ask('/none', { headers: { accept: 'text/html' } })).body, /<h1>404 Not Found<\/h1>/);
});

test('core 5.3.bodyParser reads JSON and forms, and nothing else', async (t) => {
  const ask = await asking(t, { routes: ECHO });
  const bodyOf = async (type: string, body: string) => JSON.parse((await ask('/', post(type, body))).body) as object;
  assert.deepEqual(await bodyOf('application/json', '{"a":1}'), { method: 'POST', body: { a: 1 }, raw: '{"a":1}' });
  assert.deepEqual(await bodyOf('application/x-www-form-urlencoded', 'a[b]=1'), {
    method: 'POST',
    body: { a: { b: '1' } },
    raw: 'a[b]=1',
  });
  for (const type of [
    'application/json-patch+json',
    'application/vnd.api+json',
    'application/csp-report',
    'application/scim+json',
    'application/json;',
  ]) {
    assert.deepEqual(((await bodyOf(type, '{"a":1}')) as { body: object }).body, { a: 1 }, type);
  }
  for (const type of ['text/plain', 'text/xml'])
    assert.deepEqual(await bodyOf(type, '<a/>'), { method: 'POST', body: {} });
  assert.deepEqual(((await bodyOf('application/json', '')) as { body: object }).body, {});
});

test('core 5.3.overrideMethod takes _method before the header', async (t) => {
  const ask = await asking(t, { routes: ECHO });
  const { headers, ...form } = post('application/x-www-form-urlencoded', '_method=PUT');
  const options = { ...form, headers: { ...headers, 'x-http-method-override': 'PATCH' } };
  assert.equal((JSON.parse((await ask('/', options)).body) as { method: string }).method, 'PUT');
});

const ERRORS = `app.get('/500', () => { throw Object.assign(new Error('inside'), { code: 'E5', detail: 1 }); });
  app.get('/400', () => { throw Object.assign(new Error('bad'), { status: 400, code: 'E4', errors: [1] }); });
  app.get('/js', app.jsonp(), () => { throw Object.assign(new Error('bad'), { status: 400 }); });`;
const HTML = { headers: { accept: 'text/html' } };
const JSON_CLIENT = { headers: { accept: 'application/json' } };

test('core 5.4.html in prod, unittest and local', async (t) => {
  const prod = await asking(t, { routes: ERRORS, env: 'prod' });
  assert.match((await prod('/500', HTML)).body, /^<h2>.*Internal Server Error.*<\/h2>$/);
  assert.match((await prod('/400', HTML)).body, /^<h2>.*Bad Request.*<\/h2>/);
  const unittest = await asking(t, { routes: ERRORS });
  assert.match((await unittest('/500', HTML)).body, /<pre>Error: inside\n +at /);
  const local = await asking(t, { routes: ERRORS, env: 'local' });
  const page = await local('/500', HTML);
  assert.match(page.headers['content-type'] as string, /html/);
  assert.match(page.body, /inside/);
});

test('core 5.4.json in prod and unittest', async (t) => {
  const prod = await asking(t, { routes: ERRORS, env: 'prod' });
  assert.deepEqual(JSON.parse((await prod('/500', JSON_CLIENT)).body), {
    code: 'E5',
    message: 'Internal Server Error',
  });
  assert.deepEqual(JSON.parse((await prod('/400', JSON_CLIENT)).body), { code: 'E4', message: 'bad', errors: [1] });
  const unittest = await asking(t, { routes: ERRORS });
  const { stack, ...shown } = JSON.parse((await unittest('/500', JSON_CLIENT)).body) as Record<string, unknown>;
  assert.match(stack as string, /inside/);
  assert.deepEqual([shown['code'], shown['message'], shown['name'], shown['detail']], ['E5', 'inside', 'Error', 1]);
});

test('core 5.4.js errors of JSONP are calls', async (t) => {
  const ask = await asking(t, { routes: ERRORS, env: 'prod' });
  const { body, headers } = await ask('/js?callback=fn');
  assert.match(headers['content-type'] as string, /javascript/);
  assert.match(body, /fn\(.*"message":"bad"/);
});
