import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { browser, cookiesOf } from '../../support/client.js';
import { loadApp, serve } from '../../support/loaded_app.js';

const ROUTES = `module.exports = (app) => {
  app.all('/bare', (ctx) => { ctx.body = { a: 1 }; });
  app.all('/token', (ctx) => { ctx.body = ctx.csrf; });
  app.all('/rotate', (ctx) => { ctx.rotateCsrfSecret(); ctx.body = ctx.csrf; });
  app.get('/assert', (ctx) => { ctx.assertCsrf(); ctx.body = 'passed'; });
};`;

const start = async (t: TestContext, csrf: string, more = '') => {
  const app = loadApp(t, {
    'app/router.js': ROUTES,
    'config/config.default.js': `exports.keys = "k1,k2"; exports.logger = { consoleLevel: "NONE" };
      exports.security = { csrf: ${csrf} }; ${more}`,
  });
  return serve(t, app);
};

const json = { accept: 'application/json' };
const post = (headers: Record<string, string> = {}, body?: string) => ({
  method: 'POST',
  headers: { ...json, ...headers },
  ...(body === undefined ? {} : { body }),
});

test('the first response gives the client a secret that scripts can read; later ones do not', async (t) => {
  const { ask } = browser(await start(t, '{}'));
  const [line] = (await ask('/bare')).headers['set-cookie'] as string[];
  assert.match(line as string, /^csrfToken=[\w-]{24}; path=\/$/);
  assert.equal((await ask('/bare')).headers['set-cookie'], undefined);
});

test('a POST without the token is a 403 that says so, and brings the secret', async (t) => {
  const { ask, jar } = browser(await start(t, '{}'));
  const first = await ask('/bare', post());
  assert.equal(first.status, 403);
  assert.equal(JSON.parse(first.body).message, 'missing csrf token');
  assert.ok(jar['csrfToken']);
  const second = await ask('/bare', post());
  assert.equal(second.status, 403);
  assert.equal(JSON.parse(second.body).message, 'invalid csrf token');
});

test('the token passes in query, form, JSON or header; the secret itself too, as a script has read it', async (t) => {
  const { ask, jar } = browser(await start(t, '{}'));
  const token = (await ask('/token')).body;
  assert.notEqual(token, (await ask('/token')).body, 'it is another text each time');
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const data = { 'content-type': 'application/json' };
  assert.equal((await ask(`/bare?_csrf=${token}`, post())).status, 200);
  assert.equal((await ask('/bare', post(form, `_csrf=${token}`))).status, 200);
  assert.equal((await ask('/bare', post(data, JSON.stringify({ _csrf: token })))).status, 200);
  assert.equal((await ask('/bare', post({ 'x-csrf-token': token }))).status, 200);
  assert.equal((await ask('/bare', post({ 'x-csrf-token': jar['csrfToken'] as string }))).status, 200);
});

const WRONG: [what: string, body: string][] = [
  ['a list', '{"_csrf":["x"]}'],
  ['an object', '{"_csrf":{"length":24}}'],
  ['a number', '{"_csrf":7}'],
  ['very long', JSON.stringify({ _csrf: 'x'.repeat(100_000) })],
  ['empty', '{"_csrf":""}'],
];
for (const [what, body] of WRONG) {
  test(`a token that is ${what} is a 403`, async (t) => {
    const { ask } = browser(await start(t, '{}'));
    await ask('/bare');
    assert.equal((await ask('/bare', post({ 'content-type': 'application/json' }, body))).status, 403);
  });
}

test('a secret of another client does not pass', async (t) => {
  const plain = await start(t, '{}');
  const one = browser(plain);
  const other = browser(plain);
  await one.ask('/bare');
  const token = (await other.ask('/token')).body;
  assert.equal((await one.ask(`/bare?_csrf=${token}`, post())).status, 403);
});

test('rotateCsrfSecret gives another secret; rotateWhenInvalid does so after a wrong token', async (t) => {
  const { ask, jar } = browser(await start(t, '{ rotateWhenInvalid: true }'));
  const old = (await ask('/token')).body;
  const fresh = (await ask('/rotate')).body;
  assert.equal((await ask(`/bare?_csrf=${fresh}`, post())).status, 200);
  const { csrfToken } = jar;
  assert.equal((await ask(`/bare?_csrf=${old}`, post())).status, 403);
  assert.notEqual(jar['csrfToken'], csrfToken);
});

test('cookieName, cookieDomain and cookieOptions shape the cookie', async (t) => {
  const ask = await start(
    t,
    `{ cookieName: ['a', 'b'], cookieDomain: (ctx) => '.x.com', cookieOptions: { signed: true, httpOnly: true, sameSite: 'lax' } }`,
  );
  const answer = await ask('/bare');
  assert.deepEqual(Object.keys(cookiesOf(answer)), ['a', 'a.sig', 'b', 'b.sig']);
  assert.match(answer.headers['set-cookie']?.[0] as string, /domain=\.x\.com; samesite=lax; httponly/);
  assert.equal(cookiesOf(answer)['a'], cookiesOf(answer)['b']);
  const cookie = `a=${cookiesOf(answer)['a']}; a.sig=${cookiesOf(answer)['a.sig']}`;
  const token = cookiesOf(answer)['a'] as string;
  assert.equal((await ask('/bare', post({ cookie, 'x-csrf-token': token }))).status, 200);
  assert.equal((await ask('/bare', post({ cookie: 'a=x', 'x-csrf-token': 'x' }))).status, 403);
});

test('config.cookies are the defaults of the cookie', async (t) => {
  const ask = await start(t, '{}', 'exports.cookies = { sameSite: "strict" };');
  assert.match((await ask('/bare')).headers['set-cookie']?.[0] as string, /; samesite=strict$/);
});

test('useSession keeps the secret in the session', async (t) => {
  const { ask, jar } = browser(await start(t, '{ useSession: true }'));
  const token = (await ask('/token')).body;
  assert.deepEqual(Object.keys(jar), ['EGG_SESS']);
  assert.equal((await ask(`/bare?_csrf=${token}`, post())).status, 200);
  assert.equal((await ask('/bare', post())).status, 403);
});

test('ignoreJSON, ignore and supportedRequests let requests pass', async (t) => {
  const ask = await start(t, '{ ignoreJSON: true, ignore: "/token" }');
  const data = { 'content-type': 'application/json' };
  assert.equal((await ask('/bare', post(data, '{}'))).status, 200);
  assert.equal((await ask('/bare', post({ 'content-type': 'text/plain+json' }, '{}'))).status, 403);
  assert.equal((await ask('/token', post())).status, 200);
  const only = await start(t, '{ supportedRequests: [{ path: "/bare", methods: ["put"] }] }');
  assert.equal((await only('/bare', post())).status, 200);
  assert.equal((await only('/bare', { method: 'PUT', headers: json })).status, 403);
});

test('assertCsrf checks a request that is not checked by itself', async (t) => {
  const { ask } = browser(await start(t, '{}'));
  assert.equal((await ask('/assert')).status, 403);
  const token = (await ask('/token')).body;
  assert.equal((await ask(`/assert?_csrf=${token}`)).body, 'passed');
});

test('csrf: false checks nothing and sets no cookie', async (t) => {
  const ask = await start(t, 'false');
  const answer = await ask('/token', post());
  assert.equal(answer.status, 200);
  assert.equal(answer.body, '');
  assert.equal(answer.headers['set-cookie'], undefined);
});

const SAME = { host: 'app.test', referer: 'http://app.test/form' };
const OTHER = { host: 'app.test', referer: 'http://evil.test/form' };
const CASES: [type: string, headers: Record<string, string>, problem: string | undefined][] = [
  ['referer', {}, 'missing csrf referer or origin'],
  ['referer', SAME, undefined],
  ['referer', OTHER, 'invalid csrf referer or origin'],
  ['referer', { host: 'app.test', origin: 'http://app.test' }, undefined],
  ['referer', { referer: 'https://a.ok.test/x' }, undefined],
  ['referer', { referer: 'https://ok.test.evil.test/x' }, 'invalid csrf referer or origin'],
  ['referer', { origin: 'null' }, 'invalid csrf referer or origin'],
  ['referer', { referer: 'no address' }, 'invalid csrf referer or origin'],
  ['all', SAME, 'missing csrf token'],
  ['all', { cookie: 'csrfToken=abc', 'x-csrf-token': 'abc' }, 'missing csrf referer or origin'],
  ['all', { cookie: 'csrfToken=abc', 'x-csrf-token': 'abc', ...SAME }, undefined],
  ['any', SAME, undefined],
  ['any', { cookie: 'csrfToken=abc', 'x-csrf-token': 'abc' }, undefined],
  ['any', {}, 'both ctoken and referer check error: missing csrf token, missing csrf referer or origin'],
  ['fetchSite', {}, undefined],
  ['fetchSite', { 'sec-fetch-site': 'same-origin' }, undefined],
  ['fetchSite', { 'sec-fetch-site': 'none' }, undefined],
  ['fetchSite', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.test' }, 'cross-site request'],
  ['fetchSite', { 'sec-fetch-site': 'same-site', origin: 'https://app.test', host: 'app.test' }, 'cross-site request'],
  ['fetchSite', { 'sec-fetch-site': 'cross-site', origin: 'https://a.ok.test' }, undefined],
  ['fetchSite', { 'sec-fetch-site': 'cross-site' }, 'cross-site request'],
  ['fetchSite', { origin: 'https://app.test', host: 'app.test' }, undefined],
  ['fetchSite', { origin: 'https://evil.test', host: 'app.test' }, 'cross-site request'],
];
for (const [type, headers, problem] of CASES) {
  test(`type ${type}: ${JSON.stringify(headers)} ${problem ? `is refused: ${problem}` : 'passes'}`, async (t) => {
    const ask = await start(t, `{ type: '${type}', refererWhiteList: ['.ok.test'] }`);
    const answer = await ask('/bare', post(headers));
    assert.equal(answer.status, problem ? 403 : 200);
    if (problem) assert.equal(JSON.parse(answer.body).message, problem);
    if (type === 'referer' || type === 'fetchSite') assert.equal(answer.headers['set-cookie'], undefined);
  });
}

test('an unknown type stops the boot', (t) => {
  assert.throws(
    () => loadApp(t, { 'config/config.default.js': 'exports.security = { csrf: { type: "nope" } };' }),
    /config\.security\.csrf\.type is "nope"[\s\S]*ctoken/,
  );
});
