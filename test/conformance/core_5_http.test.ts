import assert from 'node:assert/strict';
import { once } from 'node:events';
import type net from 'node:net';
import { type TestContext, test } from 'node:test';
import { cookiesOf } from '../support/client.js';
import { sendNonsense } from '../support/nonsense.js';
import { logged, serveExpression } from '../support/served_app.js';

/** @returns the cookie lines of a response to a request that runs an expression of `ctx` */
async function cookieLines(t: TestContext, expression: string, config = '', cookie = ''): Promise<string[]> {
  const { ask } = await serveExpression(t, expression, config);
  return (await ask('/', cookie ? { headers: { cookie } } : {})).headers['set-cookie'] ?? [];
}

/** Rows of `set`: what is given, and what the line of the cookie is like. */
const sets: [row: string, title: string, call: string, line: RegExp, config?: string][] = [
  ['path', 'is / by default', 'ctx.cookies.set("a", "b")', /^a=b; path=\/; httponly$/],
  ['noPath', 'null leaves the path out', 'ctx.cookies.set("a", "b", { path: null })', /^a=b; httponly$/],
  [
    'maxAge',
    'is milliseconds, sent as seconds and a date',
    'ctx.cookies.set("a", "b", { maxAge: 60000 })',
    /^a=b; path=\/; max-age=60; expires=\w+, .* GMT; httponly$/,
  ],
  [
    'maxAgeInvalid',
    '0 and nonsense are ignored',
    'ctx.cookies.set("a", "b", { maxAge: "x" })',
    /^a=b; path=\/; httponly$/,
  ],
  [
    'empty',
    'a value expires the cookie',
    'ctx.cookies.set("a", "")',
    /^a=; path=\/; expires=Thu, 01 Jan 1970 .*; httponly$/,
  ],
  ['sameSite', 'is sent', 'ctx.cookies.set("a", "b", { sameSite: "lax" })', /; samesite=lax/],
  [
    'sameSiteNone',
    'is dropped without https',
    'ctx.cookies.set("a", "b", { sameSite: "none" })',
    /^a=b; path=\/; httponly$/,
  ],
  [
    'config',
    'holds defaults',
    'ctx.cookies.set("a", "b")',
    /; samesite=strict/,
    'exports.cookies = { sameSite: "strict" };',
  ],
  ['priority', 'is sent', 'ctx.cookies.set("a", "b", { priority: "high" })', /; priority=high/],
  [
    'partitioned',
    'is sent with secure',
    'ctx.cookies.set("a", "b", { partitioned: true, secure: true, sameSite: "none" })',
    /; partitioned/,
    'exports.proxy = true; exports.protocol = "https";',
  ],
];

for (const [row, title, call, line, config] of sets) {
  test(`core 5.5.${row} ${title}`, async (t) => {
    const [first, signature] = await cookieLines(t, `(${call}, 1)`, config);
    assert.match(first as string, line);
    assert.match(signature as string, /^a\.sig=/);
  });
}

test('core 5.5.secure throws on http', async (t) => {
  const { app, ask } = await serveExpression(t, '(ctx.cookies.set("a", "b", { secure: true }), 1)');
  const failed = once(app, 'error');
  assert.equal((await ask('/')).status, 500);
  assert.match(((await failed)[0] as Error).message, /Cannot send secure cookie over unencrypted connection/);
});

test('core 5.5.encrypt hides the value, is not signed, and is read back', async (t) => {
  const expression =
    '(ctx.cookies.get("a", { encrypt: true }) ?? (ctx.cookies.set("a", "plain", { encrypt: true }), "set"))';
  const { ask, evaluate } = await serveExpression(t, expression);
  const cookies = cookiesOf(await ask('/'));
  assert.deepEqual(Object.keys(cookies), ['a']);
  assert.notEqual(cookies['a'], 'plain');
  assert.equal(await evaluate('/', { headers: { cookie: `a=${cookies['a']}` } }), 'plain');
});

test('core 5.5.unsigned values are read and set when both sides say so', async (t) => {
  const { evaluate } = await serveExpression(t, 'ctx.cookies.get("a", { signed: false })');
  assert.equal(await evaluate('/', { headers: { cookie: 'a=b' } }), 'b');
  assert.equal((await cookieLines(t, '(ctx.cookies.set("a", "b", { signed: false }), 1)')).length, 1);
});

test('core 5.5.overwrite replaces an earlier cookie of the name', async (t) => {
  const set = (options: string): string => `(ctx.cookies.set("a", "1"), ctx.cookies.set("a", "2", ${options}), 1)`;
  assert.equal((await cookieLines(t, set('{}'))).length, 4);
  assert.equal((await cookieLines(t, set('{ overwrite: true }'))).length, 2);
});

test('core 5.5.nonAscii text is refused', async (t) => {
  const { app, ask } = await serveExpression(t, '(ctx.cookies.set("a", "你"), 1)');
  const failed = once(app, 'error');
  assert.equal((await ask('/')).status, 500);
  assert.match(((await failed)[0] as Error).message, /cookie "a"/);
});

test('core 5.5.limit a longer cookie is sent, with an event and a log line', async (t) => {
  const { app, ask } = await serveExpression(t, '(ctx.cookies.set("a", "x".repeat(4094)), 1)');
  const exceeded = once(app, 'cookieLimitExceed');
  assert.equal(cookiesOf(await ask('/'))['a']?.length, 4094);
  assert.equal(((await exceeded)[0] as { name: string }).name, 'a');
  await logged(app, 'common-error.log', /CookieLimitExceed.*cookie a has 4094/);
});

test('core 5.5.chips autoChips adds a partitioned copy; removeUnpartitioned removes the old cookie', async (t) => {
  const set = (options: string): string =>
    `(ctx.cookies.set("a", "b", { secure: true, sameSite: "none", signed: false, ${options} }), 1)`;
  const https = 'exports.proxy = true; exports.protocol = "https";';
  const chips = await cookieLines(t, set('autoChips: true'), https);
  assert.deepEqual(
    chips.map((line) => [line.split('=')[0], line.includes('partitioned')]),
    [
      ['_CHIPS-a', true],
      ['a', false],
    ],
  );
  const removed = await cookieLines(t, set('partitioned: true, removeUnpartitioned: true'), https);
  assert.deepEqual(
    removed.map((line) => [line.split(';')[0], line.includes('partitioned')]),
    [
      ['a=', false],
      ['a=b', true],
    ],
  );
});

test('core 5.6.default a parse error is a 400 that closes the connection', async (t) => {
  const { app, response } = await sendNonsense(t);
  assert.match(response, /^HTTP\/1\.1 400 Bad Request\r\n/);
  assert.match(response, /\r\nContent-Length: \d+\r\n/);
  assert.match(response, /\r\nConnection: close\r\n/);
  await logged(app, 'egg-web.log', /WARN .*sent a bad request/);
});

test('core 5.6.onClientError gets error, socket and app; its headers are cleaned, its length is recomputed', async (t) => {
  const result = `{ status: 418, headers: { 'x-a': 'one\\r\\ntwo: 2', 'content-length': 1 }, body: 'tea' }`;
  const { app, response } = await sendNonsense(
    t,
    `exports.onClientError = async (error, socket, app) => { app.given = [error.code, typeof socket.end]; return ${result}; };`,
  );
  assert.deepEqual(Reflect.get(app, 'given'), ['HPE_INVALID_METHOD', 'function']);
  assert.match(response, /^HTTP\/1\.1 418 /);
  assert.doesNotMatch(response, /\r\ntwo: 2/);
  assert.match(response, /content-length: 3\r\n/i);
  assert.match(response, /\r\n\r\ntea$/);
});

test('core 5.6.defaults of onClientError are status 400 and the default page', async (t) => {
  const plain = await sendNonsense(t);
  const { response } = await sendNonsense(t, 'exports.onClientError = async () => ({});');
  assert.equal(response, plain.response);
});

test('core 5.6.rejection of onClientError is logged, the default page is sent', async (t) => {
  const plain = await sendNonsense(t);
  const { app, response } = await sendNonsense(
    t,
    'exports.onClientError = async () => { throw new Error("broken"); };',
  );
  assert.equal(response, plain.response);
  await logged(app, 'common-error.log', /broken/);
});

test('core 1.6.onClientError is installed with the server, with the timeout of config', async (t) => {
  const { app } = await serveExpression(t, '1', 'exports.serverTimeout = 1234;');
  const server = app.server as net.Server & { timeout: number };
  assert.equal(server.timeout, 1234);
  assert.ok(server.listenerCount('clientError') > 0);
});
