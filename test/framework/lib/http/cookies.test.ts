import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Context } from 'koa-clutch';
import { loadApp } from '../../../support/loaded_app.js';

function start(t: TestContext, config = '') {
  const app = loadApp(t, {
    'config/config.unittest.js': `exports.keys = 'k2,k1'; exports.logger = { consoleLevel: 'NONE', level: 'NONE' }; ${config}`,
  });
  return {
    app,
    /** A context of a request, and the `set-cookie` headers that it has given so far. */
    request(headers: Record<string, string> = {}): { ctx: Context; sent: () => string[] } {
      let cookies: string[] = [];
      const ctx = app.createAnonymousContext({ headers });
      Object.assign(ctx.res, {
        getHeader: (name: string) => (name.toLowerCase() === 'set-cookie' && cookies.length > 0 ? cookies : undefined),
        setHeader: (_name: string, values: string[]) => (cookies = values),
      });
      return { ctx, sent: () => cookies };
    },
  };
}

const SIGNED = 'a.sig=[\\w-]{43}';

test('a signature is that of Egg', (t) => {
  const { ctx, sent } = start(t, "exports.keys = 'k1';").request();
  ctx.cookies.set('a', 'hello');
  assert.match(String(sent()[1]), /^a\.sig=8RXOZNc9HQTk_9gMn_DeRkrdXQdo526jkrku2WRl0K8;/);
});

test('a cookie is signed, on /, and out of reach of scripts', (t) => {
  const { ctx, sent } = start(t).request();
  ctx.cookies.set('a', '1');
  assert.equal(sent().length, 2);
  assert.equal(sent()[0], 'a=1; path=/; httponly');
  assert.match(String(sent()[1]), new RegExp(`^${SIGNED}; path=/; httponly$`));
});

const ATTRIBUTES: [options: object, expected: RegExp][] = [
  [{ maxAge: 90_000 }, /^a=1; path=\/; max-age=90; expires=\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT; httponly$/],
  [{ maxAge: '90000' }, /; max-age=90; /],
  [{ maxAge: 0 }, /^a=1; path=\/; httponly$/],
  [{ maxAge: 'soon' }, /^a=1; path=\/; httponly$/],
  [{ expires: new Date(0) }, /; expires=Thu, 01 Jan 1970 00:00:00 GMT; /],
  [{ path: null }, /^a=1; httponly$/],
  [{ path: '/b', domain: 'a.com', httpOnly: false }, /^a=1; path=\/b; domain=a\.com$/],
  [{ sameSite: 'lax' }, /; samesite=lax; httponly$/],
  [{ sameSite: true }, /; samesite=strict; /],
  [{ sameSite: 'none' }, /^a=1; path=\/; httponly$/],
  [{ priority: 'high' }, /; priority=high; /],
];
for (const [options, expected] of ATTRIBUTES) {
  test(`options ${JSON.stringify(options)} become attributes`, (t) => {
    const { ctx, sent } = start(t).request();
    ctx.cookies.set('a', '1', { signed: false, ...options });
    assert.equal(sent().length, 1);
    assert.match(sent()[0] as string, expected);
  });
}

test('config.cookies are defaults of set', (t) => {
  const { ctx, sent } = start(t, "exports.cookies = { sameSite: 'lax', domain: 'a.com' };").request();
  ctx.cookies.set('a', '1', { signed: false, domain: 'b.com' });
  assert.deepEqual(sent(), ['a=1; path=/; domain=b.com; samesite=lax; httponly']);
});

test('behind a TLS proxy cookies are secure; without it the error names the option', (t) => {
  const tls = { 'x-forwarded-proto': 'https', 'user-agent': 'Mozilla/5.0 Chrome/120.0.0.0 Safari/537.36' };
  const { ctx, sent } = start(t, 'exports.proxy = true;').request(tls);
  ctx.cookies.set('a', '1', { signed: false, sameSite: 'none' });
  ctx.cookies.set('b', '1', { signed: false, secure: false, sameSite: 'none' });
  assert.deepEqual(sent(), ['a=1; path=/; samesite=none; secure; httponly', 'b=1; path=/; httponly']);
  const old = start(t, 'exports.proxy = true;').request({
    ...tls,
    'user-agent': 'Mozilla/5.0 Chrome/70.0.0.0 Safari/537.36',
  });
  old.ctx.cookies.set('a', '1', { signed: false, sameSite: 'none' });
  assert.deepEqual(old.sent(), ['a=1; path=/; secure; httponly']);
  const plain = start(t).request(tls);
  assert.throws(() => plain.ctx.cookies.set('a', '1', { secure: true }), {
    code: 'ERR_CLUTCH_COOKIE',
    message:
      /Cannot send secure cookie over unencrypted connection[\s\S]*config\.proxy = true[\s\S]*config\.protocolHeaders/,
  });
});

test('a signature of any key verifies; one of an older key is renewed; a forged one is removed', (t) => {
  const first = start(t, "exports.keys = 'k1';").request();
  first.ctx.cookies.set('a', '1');
  const cookie = first
    .sent()
    .map((line) => line.split(';')[0])
    .join('; ');
  const renewed = start(t).request({ cookie });
  assert.equal(renewed.ctx.cookies.get('a'), '1');
  assert.match(renewed.sent().join(), new RegExp(`^${SIGNED}; path=/; httponly$`));
  const forged = start(t).request({ cookie: cookie.replace('a=1', 'a=2') });
  assert.equal(forged.ctx.cookies.get('a'), undefined);
  assert.match(forged.sent().join(), /^a\.sig=; path=\/; expires=Thu, 01 Jan 1970/);
  assert.equal(forged.ctx.cookies.get('a', { signed: false }), '2');
  assert.equal(start(t).request({ cookie: 'a=1' }).ctx.cookies.get('a'), undefined);
});

const CHROME = { 'x-forwarded-proto': 'https', 'user-agent': 'Mozilla/5.0 Chrome/120.0.0.0 Safari/537.36' };
const CHIPS = "exports.proxy = true; exports.cookies = { autoChips: true, sameSite: 'none' };";

/** @returns the cookies that a client sends back */
function sentBack(lines: string[]): string {
  return lines.map((line) => line.split(';')[0]).join('; ');
}

test('autoChips sets a partitioned copy, which is read where the cookie itself does not arrive', (t) => {
  const first = start(t, CHIPS).request(CHROME);
  first.ctx.cookies.set('a', '1');
  first.ctx.cookies.set('b', 'secret', { encrypt: true });
  assert.deepEqual(
    first.sent().map((line) => [line.split('=')[0], /; partitioned/.test(line)]),
    [
      ['_CHIPS-a', true],
      ['_CHIPS-a.sig', true],
      ['a', false],
      ['a.sig', false],
      ['_CHIPS-b', true],
      ['b', false],
    ],
  );
  const cookie = sentBack(first.sent().filter((line) => line.startsWith('_CHIPS-')));
  const { ctx, sent } = start(t, CHIPS).request({ ...CHROME, cookie });
  assert.equal(ctx.cookies.get('a'), '1');
  assert.equal(ctx.cookies.get('b', { encrypt: true }), 'secret');
  assert.deepEqual(sent(), []);
  const off = start(t).request({ ...CHROME, cookie });
  assert.equal(off.ctx.cookies.get('a'), undefined);
});

test('no copy is set without TLS, without sameSite none, for an old Chromium and for a partitioned cookie', (t) => {
  const old = 'Mozilla/5.0 Chrome/110.0.0.0 Safari/537.36';
  const cases: [headers: Record<string, string>, options: object][] = [
    [{}, {}],
    [CHROME, { sameSite: 'lax' }],
    [{ ...CHROME, 'user-agent': old }, {}],
    [CHROME, { partitioned: true }],
  ];
  for (const [headers, options] of cases) {
    const { ctx, sent } = start(t, CHIPS).request(headers);
    ctx.cookies.set('a', '1', { signed: false, ...options });
    assert.equal(sent().length, 1);
    assert.match(String(sent()), /^a=1; /);
  }
});

test('partitioned needs TLS and sameSite none; removeUnpartitioned removes the cookie of the same name', (t) => {
  const { ctx, sent } = start(t, 'exports.proxy = true;').request(CHROME);
  ctx.cookies.set('a', '1', { signed: false, partitioned: true });
  assert.deepEqual(sent(), ['a=1; path=/; secure; httponly']);
  ctx.cookies.set('a', '1', {
    signed: false,
    overwrite: true,
    sameSite: 'none',
    partitioned: true,
    removeUnpartitioned: true,
  });
  assert.match(sent()[0] as string, /^a=; path=\/; expires=Thu, 01 Jan 1970[^;]*; samesite=none; secure; httponly$/);
  assert.match(sent()[1] as string, /^a=1; path=\/; samesite=none; secure; httponly; partitioned$/);
  assert.equal(sent().length, 2);
});

test('an empty value removes the cookie and its signature', (t) => {
  for (const value of ['', null, undefined]) {
    const { ctx, sent } = start(t).request();
    ctx.cookies.set('a', value);
    const expired = 'path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT; httponly';
    assert.deepEqual(sent(), [`a=; ${expired}`, `a.sig=; ${expired}`]);
  }
});

test('overwrite replaces what the response has already', (t) => {
  const { ctx, sent } = start(t).request();
  ctx.cookies.set('a', '1');
  ctx.cookies.set('b', '1', { signed: false });
  ctx.cookies.set('a', '2', { overwrite: true });
  assert.deepEqual(
    sent().map((line) => line.split('=')[0]),
    ['b', 'a', 'a.sig'],
  );
});

const WRONG: [name: string, value: string, options?: object][] = [
  ['a', 'x\r\nset-cookie: b=1'],
  ['a', 'x;y'],
  ['a', '中文'],
  ['a;b', 'x'],
  ['a\n', 'x'],
  ['a', 'x', { path: '/;a' }],
  ['a', 'x', { domain: 'a.com;b' }],
  ['a', 'x', { sameSite: 'maybe' }],
];
for (const [name, value, options] of WRONG) {
  test(`${JSON.stringify([name, value, options])} is refused`, (t) => {
    const { ctx, sent } = start(t).request();
    assert.throws(() => ctx.cookies.set(name, value, options), { code: 'ERR_CLUTCH_COOKIE' });
    assert.deepEqual(sent(), []);
  });
}

test('a cookie that browsers will ignore is reported without its value, and set', (t) => {
  const { app, request } = start(t);
  const events: { name: string; value: string }[] = [];
  app.on('cookieLimitExceed', (event) => events.push(event));
  const { ctx, sent } = request();
  const logged: unknown[] = [];
  Object.defineProperty(ctx, 'coreLogger', { value: { error: (error: unknown) => logged.push(error) } });
  ctx.cookies.set('a', 'x'.repeat(4094));
  ctx.cookies.set('b', 'x'.repeat(4093));
  assert.deepEqual(
    events.map(({ name }) => name),
    ['a'],
  );
  assert.match(String(logged[0]), /^CookieLimitExceedError: cookie a has 4094 characters/);
  assert.equal(sent().length, 4);
});
