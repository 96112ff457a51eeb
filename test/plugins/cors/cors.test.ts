import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Files, loadApp, serve } from '../../support/loaded_app.js';

const start = (t: TestContext, config: string, more: Files = {}) =>
  serve(
    t,
    loadApp(t, {
      'config/plugin.js': 'exports.cors = true;',
      'config/config.default.js': `exports.keys = "k"; exports.logger = { consoleLevel: "NONE" };
        exports.security = { domainWhiteList: ['.ok.test', 'http://localhost:4200'] }; exports.cors = ${config};`,
      'app/router.js': `module.exports = (app) => {
        app.get('/', (ctx) => { ctx.body = 'hello'; });
        app.put('/', (ctx) => { ctx.body = 'changed'; });
        app.get('/throw', () => { throw new Error('broken'); });
      };`,
      ...more,
    }),
  );
const from = (origin: string, more: Record<string, string> = {}) => ({ headers: { origin, ...more } });

test('it is off unless config/plugin turns it on', async (t) => {
  const ask = await start(t, '{}', { 'config/plugin.js': '' });
  assert.equal((await ask('/', from('http://a.ok.test'))).headers['access-control-allow-origin'], undefined);
});

test('pages of the white list may read responses, also of errors; others may not', async (t) => {
  const ask = await start(t, '{}');
  for (const origin of ['http://a.ok.test', 'https://ok.test:8443', 'http://localhost:4200']) {
    assert.equal((await ask('/', from(origin))).headers['access-control-allow-origin'], origin);
  }
  for (const origin of ['http://evil.test', 'http://ok.test.evil', 'null', 'no origin', 'http://localhost:1']) {
    const answer = await ask('/', from(origin));
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['access-control-allow-origin'], undefined, origin);
  }
  const broken = await ask('/throw', from('http://ok.test'));
  assert.equal(broken.status, 500);
  assert.equal(broken.headers['access-control-allow-origin'], 'http://ok.test');
});

test('a preflight request is answered before CSRF and routes', async (t) => {
  const ask = await start(t, '{ credentials: true, maxAge: 60, allowMethods: ["PUT"] }');
  const asked = { 'access-control-request-method': 'PUT', 'access-control-request-headers': 'x-own' };
  const { status, headers } = await ask('/', { method: 'OPTIONS', ...from('http://ok.test', asked) });
  assert.equal(status, 204);
  assert.equal(headers['access-control-allow-origin'], 'http://ok.test');
  assert.equal(headers['access-control-allow-methods'], 'PUT');
  assert.equal(headers['access-control-allow-headers'], 'x-own');
  assert.equal(headers['access-control-allow-credentials'], 'true');
  assert.equal(headers['access-control-max-age'], '60');
});

test('config.cors.origin decides in place of the white list', async (t) => {
  const fixed = await start(t, "{ origin: 'https://one.test' }");
  assert.equal((await fixed('/', from('http://evil.test'))).headers['access-control-allow-origin'], 'https://one.test');
  const chosen = await start(t, "{ origin: (ctx) => (ctx.get('x-key') ? ctx.get('origin') : '') }");
  assert.equal(
    (await chosen('/', from('http://a.test', { 'x-key': '1' }))).headers['access-control-allow-origin'],
    'http://a.test',
  );
  assert.equal((await chosen('/', from('http://a.test'))).headers['access-control-allow-origin'], undefined);
});

test('credentials for any origin stop the boot', async (t) => {
  await assert.rejects(
    async () => start(t, "{ origin: '*', credentials: true }"),
    /config\.cors has credentials, and origin "\*"/,
  );
});
