import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { type TestContext, test } from 'node:test';
import zlib from 'node:zlib';
import { until } from '../../../support/apps.js';
import { loadApp } from '../../../support/loaded_app.js';

const CONFIG =
  'exports.keys = "k"; exports.security = { csrf: { enable: false } }; exports.logger = { consoleLevel: "NONE", level: "NONE" }; exports.security = { csrf: false };';

interface Answer {
  status: number;
  body: { body?: unknown; raw?: unknown; message?: string; code?: string; polluted?: unknown };
}

type Post = (type: string | undefined, body: string | Buffer, headers?: Record<string, string>) => Promise<Answer>;

async function start(t: TestContext, bodyParser = '{}', files = {}): Promise<Post & { port: number }> {
  const app = loadApp(t, {
    'config/config.unittest.js': `${CONFIG} exports.bodyParser = ${bodyParser};`,
    'app/router.js': `module.exports = (app) => {
      app.post('/', async (ctx) => {
        const { body, rawBody } = ctx.request;
        ctx.body = { body: Buffer.isBuffer(body) ? [...body] : body, raw: rawBody, polluted: {}.polluted };
      });
      app.get('/alive', async (ctx) => { ctx.body = 'yes'; });
    };`,
    ...files,
  });
  await app.ready();
  const server = app.listen(0);
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as net.AddressInfo;
  const post: Post = (type, body, headers = {}) =>
    new Promise((resolve, reject) => {
      const given = { accept: 'application/json', ...(type === undefined ? {} : { 'content-type': type }), ...headers };
      const req = http.request({ port, method: 'POST', agent: false, headers: given }, (res) => {
        let text = '';
        res.on('data', (chunk: Buffer) => (text += String(chunk)));
        res.on('end', () => resolve({ status: res.statusCode as number, body: JSON.parse(text) }));
      });
      req.on('error', reject);
      req.end(body);
    });
  return Object.assign(post, { port });
}

const JSON_TYPE = 'application/json';
const FORM = 'application/x-www-form-urlencoded';

test('JSON, forms and their raw text; anything else is left alone', async (t) => {
  const post = await start(t);
  const cases: [type: string | undefined, body: string, expected: unknown, raw?: string][] = [
    [JSON_TYPE, '{"a":"é"}', { a: 'é' }, '{"a":"é"}'],
    ['application/json; charset=utf-8', '[1]', [1], '[1]'],
    ['Application/JSON;', '{"a":1}', { a: 1 }, '{"a":1}'],
    ['application/csp-report', '{"a":1}', { a: 1 }, '{"a":1}'],
    [JSON_TYPE, '\ufeff{"a":1}', { a: 1 }, '\ufeff{"a":1}'],
    [JSON_TYPE, '', {}],
    [FORM, 'a=1&b[c]=2&d[]=3&d[]=4', { a: '1', b: { c: '2' }, d: ['3', '4'] }, 'a=1&b[c]=2&d[]=3&d[]=4'],
    [FORM, 'a[b][c][d][e][f][g]=1', { a: { b: { c: { d: { e: { f: { '[g]': '1' } } } } } } }, 'a[b][c][d][e][f][g]=1'],
    ['text/plain', 'hello', {}],
    ['application/octet-stream', 'hello', {}],
    ['multipart/form-data; boundary=a', '--a--', {}],
    [undefined, 'hello', {}],
  ];
  for (const [type, body, expected, raw] of cases) {
    const answer = await post(type, body);
    assert.equal(answer.status, 200, `${type} ${body}`);
    assert.deepEqual(answer.body.body, expected);
    assert.equal(answer.body.raw, raw);
  }
});

test('text and raw bodies, other types and detectJSON by config', async (t) => {
  const post = await start(
    t,
    `{ enableTypes: ['json', 'form', 'text', 'raw'], extendTypes: { text: ['text/*'], json: 'application/x-own', raw: 'image/png' },
       detectJSON: (ctx) => ctx.get('x-json') === '1' }`,
  );
  assert.equal((await post('text/plain', 'hello')).body.body, 'hello');
  assert.equal((await post('text/csv', 'a,b')).body.body, 'a,b');
  assert.deepEqual((await post('application/octet-stream', Buffer.from([0, 255]))).body.body, [0, 255]);
  assert.deepEqual((await post('image/png', Buffer.from([1]))).body.body, [1]);
  assert.deepEqual((await post('application/x-own', '{"a":1}')).body.body, { a: 1 });
  assert.deepEqual((await post('weird', '{"a":1}', { 'x-json': '1' })).body.body, { a: 1 });
});

test('bodies that cannot be read are clear errors', async (t) => {
  const post = await start(t, "{ formLimit: '1kb', jsonLimit: 2048 }");
  const cases: [
    type: string,
    body: string | Buffer,
    headers: Record<string, string>,
    status: number,
    message: RegExp,
    code?: string,
  ][] = [
    [JSON_TYPE, '{', {}, 400, /^Problems parsing JSON$/],
    [JSON_TYPE, '"text"', {}, 400, /^Problems parsing JSON$/],
    [JSON_TYPE, JSON.stringify(['a'.repeat(2048)]), {}, 413, /too large, check bodyParser config/, 'entity.too.large'],
    [FORM, 'a'.repeat(1025), {}, 413, /too large/, 'entity.too.large'],
    ['application/json; charset=nope', '{}', {}, 415, /unsupported charset "nope"/, 'charset.unsupported'],
    [
      JSON_TYPE,
      '{}',
      { 'content-encoding': 'zstd-own' },
      415,
      /unsupported content encoding "zstd-own"/,
      'encoding.unsupported',
    ],
    [JSON_TYPE, '{}', { 'content-encoding': 'gzip' }, 400, /not what its content encoding says/, 'encoding.invalid'],
    [
      JSON_TYPE,
      zlib.gzipSync('{"a":1}').subarray(0, 12),
      { 'content-encoding': 'gzip' },
      400,
      /not what its/,
      'encoding.invalid',
    ],
    [
      JSON_TYPE,
      zlib.gzipSync(`["${'a'.repeat(1_000_000)}"]`),
      { 'content-encoding': 'gzip' },
      413,
      /too large/,
      'entity.too.large',
    ],
  ];
  for (const [type, body, headers, status, message, code] of cases) {
    for (const framing of [{}, { 'transfer-encoding': 'chunked' }] as Record<string, string>[]) {
      const answer = await post(type, body, { ...headers, ...framing });
      assert.equal(answer.status, status, `${type} ${JSON.stringify(headers)} ${JSON.stringify(answer.body)}`);
      assert.match(String(answer.body.message), message);
      assert.equal(answer.body.code, code);
    }
  }
});

test('compressed bodies are inflated, a bomb only up to the limit', async (t) => {
  const post = await start(t);
  const text = JSON.stringify({ a: 'x'.repeat(1000) });
  const encodings: [name: string, bytes: Buffer][] = [
    ['gzip', zlib.gzipSync(text)],
    ['x-gzip', zlib.gzipSync(text)],
    ['deflate', zlib.deflateSync(text)],
    ['br', zlib.brotliCompressSync(text)],
    ['identity', Buffer.from(text)],
    ['GZIP', zlib.gzipSync(text)],
  ];
  for (const [name, bytes] of encodings) {
    assert.deepEqual((await post(JSON_TYPE, bytes, { 'content-encoding': name })).body.body, JSON.parse(text), name);
  }
  const bomb = zlib.gzipSync(Buffer.alloc(100 * 1024 * 1024, '['));
  const before = process.memoryUsage().rss;
  assert.equal((await post(JSON_TYPE, bomb, { 'content-encoding': 'gzip' })).status, 413);
  assert.ok(process.memoryUsage().rss - before < 60 * 1024 * 1024);
});

test('a body is decoded by its charset', async (t) => {
  const post = await start(t);
  const utf16 = Buffer.from('{"a":"é☃"}', 'utf16le');
  assert.deepEqual((await post('application/json; charset=UTF-16LE', utf16)).body.body, { a: 'é☃' });
  const latin = Buffer.from('{"a":"é"}', 'latin1');
  assert.deepEqual((await post('application/json; charset="iso-8859-1"', latin)).body.body, { a: 'é' });
  const gbk = Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xd6, 0xd0, 0x22, 0x7d]);
  assert.deepEqual((await post('application/json; charset=gbk', gbk)).body.body, { a: '中' });
});

const POISON = [
  '{"__proto__":{"polluted":1}}',
  '{"a":{"\\u005f_proto__":{"polluted":1}}}',
  '{"constructor":{"prototype":{"polluted":1}}}',
];
test('onProtoPoisoning refuses, removes or ignores', async (t) => {
  const refusing = await start(t);
  const removing = await start(t, "{ onProtoPoisoning: 'remove' }");
  const ignoring = await start(t, "{ onProtoPoisoning: 'ignore' }");
  for (const text of POISON) {
    assert.equal((await refusing(JSON_TYPE, text)).status, 400, text);
    const removed = await removing(JSON_TYPE, text);
    assert.deepEqual(removed.body.body, text.includes('"a"') ? { a: {} } : {}, text);
    const ignored = await ignoring(JSON_TYPE, text);
    assert.equal(ignored.status, 200);
    for (const answer of [removed, ignored]) assert.equal(answer.body.polluted, undefined);
  }
  const form = await refusing(
    FORM,
    '__proto__[polluted]=1&a[__proto__][polluted]=1&constructor[prototype][polluted]=1',
  );
  assert.equal(form.body.polluted, undefined);
});

test('deeply nested JSON is refused at once, and the event loop goes on', async (t) => {
  const post = await start(t);
  for (const text of ['['.repeat(900_000), '{"a":'.repeat(150_000), `${'['.repeat(500_000)}${']'.repeat(500_000)}`]) {
    const begun = performance.now();
    assert.equal((await post(JSON_TYPE, text)).status, 400);
    assert.ok(performance.now() - begun < 5000);
  }
});

test('onerror may let the request go on; disableBodyParser and an earlier body leave it alone', async (t) => {
  const going = await start(t, '{ onerror: (error, ctx) => { ctx.request.body = { failed: error.message }; } }');
  assert.match(JSON.stringify((await going(JSON_TYPE, '{')).body.body), /failed/);
  const off = await start(t, '{}', {
    'app.js': "module.exports = (app) => app.config.coreMiddleware.unshift('off');",
    'app/middleware/off.js': 'module.exports = () => (ctx, next) => { ctx.disableBodyParser = true; return next(); };',
  });
  assert.equal((await off(JSON_TYPE, '{')).body.body, undefined);
});

test('a client that leaves midway is no fault of the server', async (t) => {
  const { port } = await start(t);
  const socket = net.connect(port, '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a":');
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  socket.destroy();
  await until('the server answers', async () => (await fetch(`http://127.0.0.1:${port}/alive`)).ok);
});

test('a limit that is not a number of bytes stops the boot', (t) => {
  assert.throws(
    () => loadApp(t, { 'config/config.unittest.js': `${CONFIG} exports.bodyParser = { jsonLimit: 'much' };` }),
    /"much" is not a number of bytes[\s\S]*config\.bodyParser\.jsonLimit/,
  );
});
