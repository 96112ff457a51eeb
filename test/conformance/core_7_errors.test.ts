import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { temporaryDirectory } from '../support/apps.js';
import { setEnvironment } from '../support/environment.js';
import { type Files, loadApp, serve } from '../support/loaded_app.js';

const JSON_CLIENT = { headers: { accept: 'application/json' } };
const HTML_CLIENT = { headers: { accept: 'text/html' } };
const QUIET = 'exports.logger = { level: "NONE", consoleLevel: "NONE" };';

/** Serves an app whose routes throw: the path is the name, the value is what is thrown. */
async function throwing(t: TestContext, thrown: Record<string, string>, config = '', env = 'unittest') {
  setEnvironment(t, { EGG_HOME: temporaryDirectory(t) });
  const routes = Object.entries(thrown).map(([name, value]) => `app.get('/${name}', () => { throw ${value}; });`);
  const files: Files = {
    'app/router.js': `module.exports = (app) => { ${routes.join('\n')} };`,
    'config/config.default.js': `${QUIET} ${config}`,
  };
  return serve(t, loadApp(t, files, { env }));
}

test('core 7.64 an unknown path is a page, or JSON for clients and paths that ask for it', async (t) => {
  const ask = await throwing(t, {});
  const html = await ask('/none', HTML_CLIENT);
  assert.equal(html.status, 404);
  assert.match(html.body, /<h1>404 Not Found<\/h1>/);
  for (const { status, body } of [await ask('/none', JSON_CLIENT), await ask('/none.json')]) {
    assert.deepEqual([status, body], [404, '{"message":"Not Found"}']);
  }
});

test('core 7.65 an error shows its stack in unittest and nothing of itself in prod', async (t) => {
  const thrown = {
    error: 'new Error("inside")',
    client: 'Object.assign(new Error("bad field"), { status: 400, errors: [{ field: "a" }] })',
  };
  const unittest = await (await throwing(t, thrown))('/error', HTML_CLIENT);
  assert.equal(unittest.status, 500);
  assert.match(unittest.body, /Error: inside\n\s+at /);
  const ask = await throwing(t, thrown, '', 'prod');
  const html = await ask('/error', HTML_CLIENT);
  assert.equal(html.status, 500);
  assert.match(html.body, /^<h2>Internal Server Error, real status: 500<\/h2>$/);
  assert.equal((await ask('/error', JSON_CLIENT)).body, '{"message":"Internal Server Error"}');
  const client = await ask('/client', JSON_CLIENT);
  assert.equal(client.status, 400);
  assert.deepEqual(JSON.parse(client.body), { message: 'bad field', errors: [{ field: 'a' }] });
});

test('core 7.66 ENOENT is a 404, a status that is none a 500, and headers are set', async (t) => {
  const ask = await throwing(t, {
    gone: 'Object.assign(new Error("x"), { code: "ENOENT" })',
    low: 'Object.assign(new Error("x"), { status: 99 })',
    high: 'Object.assign(new Error("x"), { status: 999 })',
    headers: 'Object.assign(new Error("x"), { status: 400, headers: { "x-reason": "because" } })',
  });
  assert.equal((await ask('/gone')).status, 404);
  for (const path of ['/low', '/high']) assert.equal((await ask(path)).status, 500);
  assert.equal((await ask('/headers')).headers['x-reason'], 'because');
});

test('core 7.67 what is thrown may be a string, an object or null', async (t) => {
  const ask = await throwing(t, { string: '"str"', object: '{ status: 418, message: "M" }', nothing: 'null' });
  assert.equal((await ask('/string')).status, 500);
  const object = await ask('/object', JSON_CLIENT);
  assert.equal(object.status, 418);
  assert.equal((JSON.parse(object.body) as { message: string }).message, 'M');
  assert.equal((await ask('/nothing')).status, 500);
});

test('core 7.68 errorPageUrl in prod: HTML clients and 500 only', async (t) => {
  const thrown = { error: 'new Error("x")', client: 'Object.assign(new Error("x"), { status: 400 })' };
  const ask = await throwing(t, thrown, 'exports.onerror = { errorPageUrl: "/50x.html?x=1" };', 'prod');
  const { status, headers } = await ask('/error', HTML_CLIENT);
  assert.deepEqual([status, headers.location], [302, '/50x.html?x=1&real_status=500']);
  assert.equal((await ask('/error', JSON_CLIENT)).status, 500);
  assert.equal((await ask('/client', HTML_CLIENT)).status, 400);
});

test('core 7.69 notfound.pageUrl: HTML clients are redirected, the page itself is not', async (t) => {
  const ask = await throwing(t, {}, 'exports.notfound = { pageUrl: "/404.html" };');
  const { status, headers } = await ask('/none', HTML_CLIENT);
  assert.deepEqual([status, headers.location], [302, '/404.html']);
  const page = await ask('/404.html', HTML_CLIENT);
  assert.equal(page.status, 404);
  assert.match(page.body, /\/404\.html is config\.notfound\.pageUrl and has no route/);
  const json = await ask('/none', JSON_CLIENT);
  assert.deepEqual([json.status, json.body], [404, '{"message":"Not Found"}']);
});
