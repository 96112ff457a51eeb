import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import http from 'node:http';
import type net from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { until } from '../support/apps.js';
import { cookiesOf } from '../support/client.js';
import { loadApp } from '../support/loaded_app.js';
import { serveExpression, serveRoutes } from '../support/served_app.js';

// Rows of the first table of docs/differences.md that no other file here asserts.

const QUIET = { 'config/config.unittest.js': 'exports.logger = { consoleLevel: "NONE" };' };

/** A server that responds with 418, or to `/slow` not at all. */
async function upstream(t: TestContext) {
  const server = http.createServer((req, res) => {
    if (req.url === '/slow') server.emit('waiting', res);
    else res.writeHead(418, { 'x-secret': 'of the upstream' }).end('{');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close().closeAllConnections());
  return { server, url: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}` };
}

test('core 5.11.errors have status and headers of the upstream in error.res only', async (t) => {
  const { url } = await upstream(t);
  const app = loadApp(t, QUIET);
  await assert.rejects(
    app.curl(url, { dataType: 'json' }),
    (error: { status?: number; headers?: object; res: { status: number } }) => {
      assert.deepEqual([error.status, error.headers, error.res.status], [undefined, undefined, 418]);
      return true;
    },
  );
});

test('core 5.11.abort ctx.curl is aborted when the client leaves, unless abortWithClient is false', async (t) => {
  const { server, url } = await upstream(t);
  /** @returns whether the upstream sees its request aborted, once the client has left */
  const leave = async (options: string): Promise<boolean> => {
    const { app } = await serveRoutes(t, `app.get('/', (ctx) => ctx.curl('${url}/slow', ${options}).catch(() => {}));`);
    const left = once(app, 'response');
    const waiting = once(server, 'waiting');
    const client = http.get(`http://127.0.0.1:${((app.server as net.Server).address() as net.AddressInfo).port}/`);
    client.on('error', () => undefined);
    const [res] = (await waiting) as [http.ServerResponse];
    client.destroy();
    await left;
    if (options === '{}') await once(res, 'close');
    const isAborted = res.destroyed;
    res.end();
    return isAborted;
  };
  assert.equal(await leave('{}'), true);
  assert.equal(await leave('{ abortWithClient: false }'), false);
});

test('core 5.4.headers that were set before an error are removed, those of err.headers are sent', async (t) => {
  const { ask } = await serveRoutes(
    t,
    `app.get('/', (ctx) => { ctx.set('x-before', '1'); ctx.cookies.set('a', 'b');
      throw Object.assign(new Error('no'), { status: 400, headers: { 'x-of-error': '1' } }); });`,
  );
  const { headers } = await ask('/');
  assert.deepEqual([headers['x-before'], headers['set-cookie'], headers['x-of-error']], [undefined, undefined, '1']);
});

test('core 5.5.eggFormat encrypted cookies are authenticated; eggFormat write gives those of Egg', async (t) => {
  const values = async (config: string): Promise<[string, unknown]> => {
    const { ask, evaluate } = await serveExpression(
      t,
      '(ctx.cookies.get("a", { encrypt: true }) ?? (ctx.cookies.set("a", "plain", { encrypt: true }), null))',
      config,
    );
    const { a = '' } = cookiesOf(await ask('/'));
    // The last character of base64 may have bits that do not count.
    const changed = `${a.slice(0, 4)}${a[4] === 'A' ? 'B' : 'A'}${a.slice(5)}`;
    return [a, await evaluate('/', { headers: { cookie: `a=${changed}` } })];
  };
  const [own, changedOwn] = await values('');
  assert.equal(changedOwn, null);
  const [first] = await values('exports.cookies = { eggFormat: "write" };');
  const [second] = await values('exports.cookies = { eggFormat: "write" };');
  assert.equal(first, second);
  assert.notEqual(own.length, first.length);
});

for (const hook of ['configWillLoad', 'configDidLoad']) {
  test(`core 3.1.${hook}Async may be async, and an await in it fails the boot`, async (t) => {
    const boot = (body: string): string => `module.exports = class { async ${hook}() { ${body} } };`;
    await loadApp(t, { ...QUIET, 'app.js': boot('') }).ready();
    const waiting = boot('await new Promise((done) => setTimeout(done, 10));');
    await assert.rejects(loadApp(t, { ...QUIET, 'app.js': waiting }).ready(), new RegExp(`${hook}.*app\\.js`, 's'));
  });
}

test('core 2.9.routerAsync an async function in app/router is refused with its file', (t) => {
  assert.throws(() => loadApp(t, { ...QUIET, 'app/router.js': 'module.exports = async () => {};' }), /router\.js/);
});

test('core 2.11.again a second load into a property adds to it; a clash names both files', (t) => {
  const app = loadApp(t, {
    ...QUIET,
    'one/a.js': 'exports.n = 1;',
    'two/b.js': 'exports.n = 2;',
    'three/a.js': 'exports.n = 3;',
  });
  const load = (directory: string): void => app.loader.loadToApp(path.join(app.baseDir, directory), 'kit');
  load('one');
  load('two');
  assert.deepEqual(Object.keys(Reflect.get(app, 'kit') as object).sort(), ['a', 'b']);
  assert.throws(() => load('three'), /three\/a\.js.*one\/a\.js|one\/a\.js.*three\/a\.js/s);
});

test('core 5.2.securityHeaders those that a handler sets stay', async (t) => {
  const { ask } = await serveRoutes(
    t,
    "app.get('/', (ctx) => { ctx.set('x-frame-options', 'DENY'); ctx.body = ''; });",
  );
  assert.equal((await ask('/')).headers['x-frame-options'], 'DENY');
});

for (const [auto, title] of [
  [true, 'are removed with the response'],
  [false, 'stay without autoCleanup'],
] as const) {
  test(`core 5.2.savedFiles${auto ? '' : 'Kept'} of multipart ${title}`, async (t) => {
    const { app, ask } = await serveRoutes(
      t,
      "app.post('/', (ctx) => { ctx.body = ctx.request.files[0].filepath; });",
      `exports.multipart = { mode: 'file', tmpdir: require('path').join(__dirname, '../tmp'), autoCleanup: ${auto} };`,
    );
    const part = 'content-disposition: form-data; name="f"; filename="a.png"\r\ncontent-type: image/png\r\n\r\nhello';
    const { body } = await ask('/', {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
      body: `--x\r\n${part}\r\n--x--\r\n`,
    });
    assert.ok(body.startsWith(path.join(app.baseDir, 'tmp')), body);
    if (auto) await until('the file is gone', () => !existsSync(body));
    else assert.ok(readdirSync(path.dirname(body)).includes(path.basename(body)));
  });
}
