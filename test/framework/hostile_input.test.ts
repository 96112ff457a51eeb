import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { loadApp } from '../support/loaded_app.js';

/** An app with the default stack that looks at all that a request carries. */
async function listen(t: TestContext): Promise<number> {
  const app = loadApp(t, {
    'config/config.unittest.js': `
      exports.security = { csrf: false };
      exports.keys = 'k'; exports.security = { csrf: { enable: false } }; exports.proxy = true; exports.hostHeaders = 'x-forwarded-host'; exports.maxIpsCount = 2;
      exports.logger = { consoleLevel: 'NONE', level: 'NONE' };`,
    'app/router.js': `
      const look = async (ctx) => {
        const { query, queries, host, hostname, protocol, ip, ips, acceptJSON, subdomains, fresh, charset, path, href, origin, URL } = ctx;
        const { type, length } = ctx.request;
        const cookies = [ctx.cookies.get('a'), ctx.cookies.get('a', { signed: false }), ctx.cookies.get('a', { encrypt: true })];
        ctx.body = { body: ctx.request.body, params: ctx.params, query, queries, host, cookies, type, accepts: ctx.accepts('html', 'json') };
      };
      module.exports = (app) => { app.all('/', look); app.all('/p/:id', look); app.all('/p/:id.json', look); };`,
  });
  await app.ready();
  const server = app.listen(0);
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as net.AddressInfo).port;
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
test.after(() => agent.destroy());

interface Sent {
  path?: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

function ask(port: number, { body, ...options }: Sent): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const req = http.request({ port, agent, ...options }, (res) => {
      let text = '';
      res.on('data', (chunk: Buffer) => (text += String(chunk)));
      res.on('end', () => resolve({ status: res.statusCode as number, body: text }));
    });
    req.on('error', reject);
    req.end(body);
  });
}

/** Sends bytes as they are. @returns the status, 0 for a connection that was closed without a response */
function askRaw(port: number, bytes: string): Promise<number> {
  return new Promise((resolve) => {
    let text = '';
    const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
    socket.on('data', (chunk) => (text += String(chunk)));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0)));
  });
}

const NAMES = [
  '_method',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'length',
  'callback',
  'locale',
];
const name = fc.oneof(fc.constantFrom(...NAMES), fc.string({ maxLength: 5 }));
const data = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(name, tie('value'), { maxKeys: 4 }),
  ),
})).value;
const printable = (characters: string) => fc.string({ unit: fc.constantFrom(...characters), maxLength: 40 });
const headerText = fc.oneof(printable('a;=,"\\ *[]{}()/:@?%0.é\u00ff-_'), printable('0123456789,.-:[]*q;='));

test('no JSON body is a 5xx', async (t) => {
  const port = await listen(t);
  const body = fc.oneof(
    fc.dictionary(name, data).map((value) => JSON.stringify(value)),
    data.map((value) => JSON.stringify(value) ?? ''),
    printable('[]{}",:\\u0\u0000é1e+-.'),
  );
  const types = [
    'application/json',
    'application/json; charset=utf-16le',
    'application/json;',
    'application/vnd.api+json',
  ];
  await fc.assert(
    fc.asyncProperty(body, fc.constantFrom(...types), async (text, type) => {
      const { status, body: seen } = await ask(port, { method: 'POST', headers: { 'content-type': type }, body: text });
      assert.ok(status < 500, `${status} ${text} ${seen}`);
    }),
    { numRuns: 300 },
  );
});

test('no form body and no query is a 5xx', async (t) => {
  const port = await listen(t);
  const key = fc.array(fc.oneof(name, fc.constantFrom('[', ']', '[]', '[0]', '[a]', '.', '%5B', '%zz', '%')), {
    maxLength: 6,
  });
  const pair = fc.tuple(key, printable('a&=%[]+;0é')).map(([keys, value]) => `${keys.join('')}=${value}`);
  const form = fc.array(pair, { maxLength: 6 }).map((pairs) => pairs.join('&'));
  await fc.assert(
    fc.asyncProperty(form, async (text) => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const posted = await ask(port, { method: 'POST', headers, body: text });
      assert.ok(posted.status < 500, `${posted.status} body ${text}`);
      const path = `/?${encodeURI(text).replaceAll('%25', '%')}`;
      assert.ok((await ask(port, { path })).status < 500, `query ${path}`);
    }),
    { numRuns: 300 },
  );
});

const HEADERS = [
  'accept',
  'accept-charset',
  'accept-encoding',
  'accept-language',
  'authorization',
  'cache-control',
  'content-type',
  'cookie',
  'forwarded',
  'host',
  'if-modified-since',
  'if-none-match',
  'origin',
  'range',
  'referer',
  'user-agent',
  'x-csrf-token',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-http-method-override',
  'x-requested-with',
];

test('no header and no cookie is a 5xx', async (t) => {
  const port = await listen(t);
  const cookie = fc.tuple(fc.constantFrom('a', 'a.sig', '__proto__', 'csrfToken', 'EGG_SESS', 'locale'), headerText);
  const cookies = fc.array(cookie, { maxLength: 5 }).map((pairs) => pairs.map((pair) => pair.join('=')).join('; '));
  const headers = fc.dictionary(fc.constantFrom(...HEADERS), headerText, { maxKeys: 6 });
  await fc.assert(
    fc.asyncProperty(headers, cookies, fc.constantFrom('GET', 'POST', 'HEAD', 'DELETE'), async (given, jar, method) => {
      const sent = { host: 'a', ...given, cookie: given['cookie'] ?? jar };
      const { status, body } = await ask(port, { method, path: '/p/1', headers: sent });
      assert.ok(status < 500, `${status} ${method} ${JSON.stringify(sent)} ${body}`);
    }),
    { numRuns: 400 },
  );
});

const TARGETS = [
  '*',
  'http://a[',
  'http://[::',
  'http://a:99999999/',
  'http://%zz/',
  'a',
  'http:',
  'http://',
  '//',
  '//a',
  '/\\',
  '/%',
  '/p/%',
  '/p/%zz',
  '/p/%00',
  '/?',
  '/#',
  '/%2e%2e/%2e%2e/etc/passwd',
  '/p/..%2f..',
  '/;',
  '/:',
  '?',
  '#',
  'javascript:1',
  '/p/1.json?_method[toString]=1',
  '/__proto__',
  `/${'a/'.repeat(4000)}`,
  `/?${'a&'.repeat(4000)}`,
  `/?${'a[]=1&'.repeat(1500)}`,
];

test('no request target is a 5xx', async (t) => {
  const port = await listen(t);
  const failing = async (target: string): Promise<void> => {
    for (const method of ['GET', 'OPTIONS', 'POST']) {
      const status = await askRaw(port, `${method} ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      assert.ok(status < 500, `${status} ${method} ${target.slice(0, 100)}`);
    }
  };
  for (const target of TARGETS) await failing(target);
  await fc.assert(fc.asyncProperty(printable('/:@?#%[]\\.;=a0z*é'), failing), { numRuns: 150 });
});

test('ten megabytes of one key are a 413; a thousand of keys and levels are no 5xx', async (t) => {
  const port = await listen(t);
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const json = { 'content-type': 'application/json' };
  const long = 'a'.repeat(10_000_000);
  assert.equal((await ask(port, { method: 'POST', headers: form, body: `_method=${long}` })).status, 413);
  assert.equal((await ask(port, { method: 'POST', headers: json, body: `{"_method":"${long}"}` })).status, 413);
  const bodies: [headers: Record<string, string>, body: string][] = [
    [form, `_method=${long.slice(0, 1_000_000)}`],
    [form, `a${'[a]'.repeat(500)}=1`],
    [form, `a${'['.repeat(100_000)}=1`],
    [form, 'a&'.repeat(500_000)],
    [form, 'a[]=1&'.repeat(150_000)],
    [json, `{"_method":"${long.slice(0, 1_000_000)}"}`],
    [json, `{"_method":${'['.repeat(500)}${']'.repeat(500)}}`],
  ];
  for (const [headers, body] of bodies) {
    const { status } = await ask(port, { method: 'POST', headers, body });
    assert.ok(status < 500, `${status} ${body.slice(0, 20)}`);
  }
});

const METHODS: unknown[] = [{ toString: 1 }, ['put'], [], {}, 1, null, true, '', 'FOO', { toUpperCase: 'x' }];
for (const method of METHODS) {
  test(`_method: ${JSON.stringify(method)} is no 5xx and not another method`, async (t) => {
    const port = await listen(t);
    const headers = { 'content-type': 'application/json' };
    const { status } = await ask(port, { method: 'POST', headers, body: JSON.stringify({ _method: method }) });
    assert.equal(status, method === null || method === '' ? 200 : 400);
  });
}
