import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { brotliCompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { type Files, loadApp, serve } from '../../support/loaded_app.js';

const QUIET = 'exports.keys = "k"; exports.logger = { consoleLevel: "NONE" }; exports.security = { csrf: false };';

async function start(t: TestContext, config = '{}', files: Files = {}) {
  const app = loadApp(t, {
    'app/public/a.txt': 'hello world',
    'app/public/empty.css': '',
    'app/public/sub/b c.js': 'let b;',
    'app/public/.hidden': 'secret',
    'app/public/.dir/x.txt': 'secret',
    'secret.txt': 'secret',
    'app/router.js': 'module.exports = (app) => { app.all("/public/routed", (ctx) => { ctx.body = "routed"; }); };',
    'config/config.default.js': `${QUIET} exports.static = ${config};`,
    ...files,
  });
  return { app, dir: path.join(app.baseDir, 'app/public'), ask: await serve(t, app) };
}

test('a file is sent with its type, and with what caches need', async (t) => {
  const { ask } = await start(t);
  const { status, headers, body } = await ask('/public/a.txt');
  assert.equal(status, 200);
  assert.equal(body, 'hello world');
  assert.equal(headers['content-type'], 'text/plain; charset=utf-8');
  assert.equal(headers['content-length'], '11');
  assert.equal(headers['cache-control'], 'public, max-age=0');
  assert.equal(headers['accept-ranges'], 'bytes');
  assert.match(headers['etag'] as string, /^"[\da-f]+-[\da-f]+"$/);
  assert.ok(Date.parse(headers['last-modified'] as string) > 0);
  assert.equal(headers['set-cookie'], undefined);
  assert.equal((await ask('/public/sub/b%20c.js?v=1')).body, 'let b;');
  assert.equal((await ask('/public/empty.css')).status, 200);
});

test('it comes before the body parser, and what is no file goes on to the router', async (t) => {
  const { app, ask } = await start(t);
  const { coreMiddleware } = app.config;
  assert.equal(coreMiddleware.indexOf('static') + 1, coreMiddleware.indexOf('bodyParser'));
  assert.equal((await ask('/public/routed')).body, 'routed');
  assert.equal((await ask('/public/a.txt', { method: 'POST' })).status, 404);
});

for (const buffer of [false, true]) {
  const config = `{ buffer: ${buffer} }`;

  test(`buffer: ${buffer}: HEAD has the headers of GET and no body`, async (t) => {
    const { ask } = await start(t, config);
    const get = await ask('/public/a.txt');
    const head = await ask('/public/a.txt', { method: 'HEAD' });
    for (const answer of [get, head])
      for (const name of ['date', 'x-readtime', 'connection']) delete answer.headers[name];
    assert.deepEqual(head.headers, get.headers);
    assert.equal(head.body, '');
  });

  test(`buffer: ${buffer}: a client that has the file gets 304`, async (t) => {
    const { ask } = await start(t, config);
    const { headers } = await ask('/public/a.txt');
    const { etag = '', 'last-modified': modified = '' } = headers;
    assert.equal((await ask('/public/a.txt', { headers: { 'if-none-match': etag } })).status, 304);
    assert.equal((await ask('/public/a.txt', { headers: { 'if-none-match': `"x", ${etag}` } })).status, 304);
    assert.equal((await ask('/public/a.txt', { headers: { 'if-modified-since': modified } })).status, 304);
    assert.equal((await ask('/public/a.txt', { headers: { 'if-none-match': '"x"' } })).status, 200);
    assert.equal((await ask('/public/a.txt', { headers: { 'if-modified-since': 'nonsense' } })).status, 200);
  });

  const RANGES: [range: string, status: number, body: string, contentRange?: string][] = [
    ['bytes=0-4', 206, 'hello', 'bytes 0-4/11'],
    ['bytes=6-', 206, 'world', 'bytes 6-10/11'],
    ['bytes=-5', 206, 'world', 'bytes 6-10/11'],
    ['bytes=0-99', 206, 'hello world', 'bytes 0-10/11'],
    ['bytes=-99', 206, 'hello world', 'bytes 0-10/11'],
    ['bytes=11-', 416, '', 'bytes */11'],
    ['bytes=-0', 416, '', 'bytes */11'],
    ['bytes=4-2', 200, 'hello world'],
    ['bytes=0-1,3-4', 200, 'hello world'],
    ['bytes=-', 200, 'hello world'],
    ['bytes=a-b', 200, 'hello world'],
    ['lines=0-1', 200, 'hello world'],
    [`bytes=0-${'9'.repeat(400)}`, 200, 'hello world'],
  ];
  for (const [range, status, body, contentRange] of RANGES) {
    test(`buffer: ${buffer}: range ${range.slice(0, 20)} is a ${status}`, async (t) => {
      const answer = await (await start(t, config))[`ask`]('/public/a.txt', { headers: { range } });
      assert.equal(answer.status, status);
      assert.equal(answer.body, body);
      assert.equal(answer.headers['content-range'], contentRange);
      assert.equal(answer.headers['content-length'], String(body.length));
    });
  }

  test(`buffer: ${buffer}: a range of a file that has changed since is the whole file`, async (t) => {
    const { ask } = await start(t, config);
    const etag = (await ask('/public/a.txt')).headers['etag'] as string;
    const of = (before: string) => ask('/public/a.txt', { headers: { range: 'bytes=0-1', 'if-range': before } });
    assert.equal((await of(etag)).status, 206);
    assert.equal((await of('"other"')).status, 200);
  });

  const REFUSED = [
    '/public/.hidden',
    '/public/.dir/x.txt',
    '/public/%2ehidden',
    '/public/',
    '/public',
    '/public/sub',
    '/public/sub/',
    '/public/a.txt/',
    '/public/a.txt/x',
    '/public//a.txt',
    '/public/./a.txt',
    '/public/sub/../a.txt',
    '/public/../../secret.txt',
    '/public/%2e%2e/%2e%2e/secret.txt',
    '/public/..%2f..%2fsecret.txt',
    '/public/%2fetc/passwd',
    '/public/..%5c..%5csecret.txt',
    '/public/a.txt%00',
    '/public/a.txt%00.css',
    '/public/%zz',
    '/public/none.txt',
    `/public/${'x'.repeat(5000)}`,
    `/public/${'x/'.repeat(3000)}`,
    '/PUBLIC/a.txt',
  ];
  for (const refused of REFUSED) {
    test(`buffer: ${buffer}: ${refused.slice(0, 40)} is no file`, async (t) => {
      const { ask } = await start(t, config);
      const { status, body } = await ask('/', { path: refused });
      assert.ok(status === 404 || status === 400, `${status} ${body}`);
    });
  }
}

test('in memory a file stays as it was first read; otherwise a change is seen at once', async (t) => {
  const kept = await start(t, '{ buffer: true }');
  const read = await start(t, '{ buffer: false }');
  for (const { ask, dir } of [kept, read]) {
    await ask('/public/a.txt');
    writeFileSync(path.join(dir, 'a.txt'), 'changed');
  }
  assert.equal((await kept.ask('/public/a.txt')).body, 'hello world');
  assert.equal((await read.ask('/public/a.txt')).body, 'changed');
});

test('no more than maxFiles files are kept; large ones never are', async (t) => {
  const { ask, dir } = await start(t, '{ buffer: true, maxFiles: 1 }');
  writeFileSync(path.join(dir, 'large.bin'), Buffer.alloc(3 * 1024 * 1024, 'x'));
  await ask('/public/a.txt');
  await ask('/public/empty.css');
  assert.equal((await ask('/public/large.bin')).body.length, 3 * 1024 * 1024);
  assert.equal((await ask('/public/large.bin', { headers: { range: 'bytes=1-2' } })).body, 'xx');
  rmSync(path.join(dir, 'a.txt'));
  rmSync(path.join(dir, 'empty.css'));
  rmSync(path.join(dir, 'large.bin'));
  assert.equal((await ask('/public/a.txt')).status, 404);
  assert.equal((await ask('/public/empty.css')).status, 200);
  assert.equal((await ask('/public/large.bin')).status, 404);
});

test('a compressed file beside it is sent to clients that accept it', async (t) => {
  const text = 'body { color: red; }'.repeat(100);
  const { ask, dir } = await start(t, '{ buffer: true }', { 'app/public/x.css': text });
  writeFileSync(path.join(dir, 'x.css.br'), brotliCompressSync(text));
  writeFileSync(path.join(dir, 'x.css.gz'), gzipSync(text));
  const of = (accepted: string) => ask('/public/x.css', { headers: { 'accept-encoding': accepted } });
  const br = await of('gzip, deflate, br');
  assert.equal(br.headers['content-encoding'], 'br');
  assert.equal(br.headers['vary'], 'Accept-Encoding');
  assert.equal(br.headers['content-type'], 'text/css; charset=utf-8');
  const gz = await of('gzip');
  assert.equal(gz.headers['content-encoding'], 'gzip');
  assert.notEqual(gz.headers['etag'], br.headers['etag']);
  const plain = await ask('/public/x.css');
  assert.equal(plain.headers['content-encoding'], undefined);
  assert.equal(plain.body, text);
  const again = await ask('/public/x.css', {
    headers: { 'accept-encoding': 'gzip', 'if-none-match': gz.headers['etag'] as string },
  });
  assert.equal(again.status, 304);
  const range = await ask('/public/x.css', { headers: { 'accept-encoding': 'br', range: 'bytes=0-3' } });
  assert.equal(range.body, 'body');
});

test('one that is older than the file is not; precompressed: false takes none', async (t) => {
  const { ask, dir } = await start(t, '{}', { 'app/public/x.css': 'new', 'app/public/x.css.gz': 'old' });
  utimesSync(path.join(dir, 'x.css.gz'), 1, 1);
  const headers = { 'accept-encoding': 'gzip' };
  assert.equal((await ask('/public/x.css', { headers })).headers['content-encoding'], undefined);
  const off = await start(t, '{ precompressed: false }', { 'app/public/x.css': 'x', 'app/public/x.css.gz': 'y' });
  assert.equal((await off.ask('/public/x.css', { headers })).headers['content-encoding'], undefined);
});

test('gzip: true compresses what is in memory', async (t) => {
  const text = 'a,b\n'.repeat(1000);
  const { app } = await start(t, '{ buffer: true, gzip: true }', { 'app/public/t.csv': text });
  const server = app.listen(0);
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  const response = await fetch(`http://127.0.0.1:${port}/public/t.csv`, { headers: { 'accept-encoding': 'gzip' } });
  assert.equal(response.headers.get('content-encoding'), 'gzip');
  assert.ok(Number(response.headers.get('content-length')) < 200);
  assert.equal(await response.text(), text);
  assert.ok(gunzipSync(gzipSync(text)).length === text.length);
});

test('several directories: the first that has a file, each with its prefix and options', async (t) => {
  const config = `{ dir: [__dirname + '/../app/public', __dirname + '/../more', { prefix: 'assets', dir: __dirname + '/../assets', maxAge: 60 }] }`;
  const { ask } = await start(t, config, {
    'more/a.txt': 'of more',
    'more/only.txt': 'only here',
    'assets/logo.svg': '<svg/>',
  });
  assert.equal((await ask('/public/a.txt')).body, 'hello world');
  assert.equal((await ask('/public/only.txt')).body, 'only here');
  const logo = await ask('/assets/logo.svg');
  assert.equal(logo.headers['content-type'], 'image/svg+xml');
  assert.equal(logo.headers['cache-control'], 'public, max-age=60');
  assert.equal((await ask('/assets/a.txt')).status, 404);
});

test('alias, filter, cacheControl, dynamic and preload', async (t) => {
  const { ask } = await start(
    t,
    `{ alias: { '/favicon.png': '/public/a.txt' }, filter: (file) => file !== 'empty.css', cacheControl: 'no-store' }`,
  );
  const icon = await ask('/favicon.png');
  assert.equal(icon.body, 'hello world');
  assert.equal(icon.headers['cache-control'], 'no-store');
  assert.equal((await ask('/public/empty.css')).status, 404);
  const fixed = await start(t, `{ dynamic: false, preload: true, buffer: true, filter: ['a.txt'] }`);
  assert.equal((await fixed.ask('/public/a.txt')).body, 'hello world');
  writeFileSync(path.join(fixed.dir, 'late.txt'), 'late');
  for (const name of ['late.txt', 'sub/b%20c.js']) assert.equal((await fixed.ask(`/public/${name}`)).status, 404);
});

test('a symbolic link is followed, as the developer has set it; a loop, a pipe and a missing directory are no file', async (t) => {
  const { ask, dir, app } = await start(t);
  symlinkSync(path.join(app.baseDir, 'secret.txt'), path.join(dir, 'link.txt'));
  symlinkSync('loop', path.join(dir, 'loop'));
  mkdirSync(path.join(dir, 'folder.txt'));
  assert.equal((await ask('/public/link.txt')).body, 'secret');
  for (const name of ['loop', 'folder.txt']) assert.equal((await ask(`/public/${name}`)).status, 404);
  rmSync(dir, { recursive: true });
  assert.equal((await ask('/public/a.txt')).status, 404);
});
