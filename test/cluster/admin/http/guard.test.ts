import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { startPage } from '../../../support/admin.js';
import { request } from '../../../support/http.js';

test('hostile requests are refused, and change nothing', async (t) => {
  const cluster = await startPage(t, { admin: { allowedHosts: ['shop.example'] } });
  const { page, act } = cluster;
  const host = new URL(page).host;
  const before = await cluster.pids();
  const get = async (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    request(page, { path, headers, method });

  await t.test('a name that resolves to this address (DNS rebinding)', async () => {
    for (const path of ['/', '/assets/app.js', '/api/views/now', '/api/events']) {
      for (const name of [
        'evil.example',
        'evil.example:80',
        '127.0.0.1.evil.example',
        'localhost.evil.example',
        'a@127.0.0.1',
      ]) {
        const { status, body } = await get(path, { host: name });
        assert.equal(status, 403, `${path} with host ${name}`);
        assert.match(JSON.parse(body).error, /the host ".*" is not known here; name it in option admin\.allowedHosts/);
      }
    }
    for (const name of ['localhost', 'LOCALHOST:1', host, '127.0.0.1', '[::1]:9', 'shop.example', 'shop.example.:80']) {
      assert.equal((await get('/api/views/now', { host: name })).status, 200, name);
    }
  });

  await t.test('probes and metrics are for any host: a kubelet asks for the address of the pod', async () => {
    for (const path of ['/livez', '/readyz', '/startupz', '/metrics']) {
      assert.equal((await get(path, { host: '10.1.2.3:7002' })).status, 200, path);
    }
  });

  await t.test('a page of another origin, another port of this machine included', async () => {
    for (const origin of [
      'http://evil.example',
      'null',
      'http://127.0.0.1:1',
      'file://',
      `http://${host}.evil.example`,
    ]) {
      assert.equal((await get('/api/views/now', { origin })).status, 403, origin);
      assert.equal((await act('reload', {}, { headers: { origin } })).status, 403, origin);
    }
    for (const site of ['cross-site', 'same-site']) {
      assert.equal((await get('/api/views/now', { 'sec-fetch-site': site })).status, 403);
      assert.equal((await get('/assets/app.js', { 'sec-fetch-site': site, 'sec-fetch-mode': 'no-cors' })).status, 403);
      assert.equal((await act('reload', {}, { headers: { 'sec-fetch-site': site } })).status, 403);
    }
    // A link to the page.
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    assert.equal((await get('/', link)).status, 200);
    assert.equal((await get('/api/views/now', link)).status, 403);
    const frame = { ...link, 'sec-fetch-dest': 'iframe' };
    assert.equal((await get('/', frame)).status, 403);
    const own = { origin: `http://${host}`, 'sec-fetch-site': 'same-origin' };
    assert.equal((await get('/api/views/now', own)).status, 200);
  });

  await t.test('a form of another site: its type is not JSON', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', '']) {
      const { status, body } = await act('reload', {}, { headers: { 'content-type': type } });
      assert.equal(status, 415, type);
      assert.deepEqual(JSON.parse(body), { error: 'send it as application/json' });
    }
  });

  await t.test('actions by GET, and other methods elsewhere', async () => {
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']) {
      const { status, headers } = await get('/api/actions/reload', {}, method);
      assert.equal(status, 405, method);
      assert.equal(headers.allow, 'POST');
      assert.equal(headers['access-control-allow-origin'], undefined);
    }
    assert.equal((await get('/api/views/now', {}, 'POST')).status, 405);
    assert.equal((await get('/', {}, 'POST')).status, 405);
  });

  await t.test('paths that leave the directory of the page', async () => {
    const paths = [
      '/assets/../../package.json',
      '/assets/..%2f..%2fpackage.json',
      '/assets/%2e%2e/%2e%2e/package.json',
      '/../package.json',
      '//etc/passwd',
      '/assets/',
      '/assets//etc/passwd',
      '/assets/app.js/../../../errors.js',
      '/index.html',
      '/api/views/__proto__',
      '/api/views/constructor',
      '/api/views/',
      '/nothing',
    ];
    for (const path of paths) assert.equal((await get(path)).status, 404, path);
    for (const name of ['__proto__', 'constructor', 'close']) {
      const { status } = await request(`${page}/api/actions/${name}`, { method: 'POST', body: '{}' });
      assert.equal(status, 404, name);
    }
  });

  await t.test('bodies that are too long, no JSON, or not as they must be', async () => {
    const json = { 'content-type': 'application/json' };
    const post = (name: string, body: string) =>
      request(`${page}/api/actions/${name}`, { method: 'POST', headers: json, body });
    const long = await post('scale', JSON.stringify({ workers: 1, more: 'x'.repeat(20_000) }));
    assert.equal(long.status, 413);
    assert.match(long.body, /longer than 16384 bytes/);
    assert.equal(await sendEndless(page), 413);
    for (const body of ['', '{', '[]', 'null', '1', '"x"']) assert.equal((await post('scale', body)).status, 400, body);
    for (const workers of [0, -1, 1.5, '2', null, undefined, {}]) {
      assert.equal((await post('scale', JSON.stringify({ workers }))).status, 400, String(workers));
    }
    assert.equal((await post('scale', '{"workers":100000}')).status, 409);
    for (const body of [{}, { pid: 'x' }, { pid: 1, kind: 'x' }, { pid: 1, kind: '__proto__' }]) {
      assert.equal((await post('profile', JSON.stringify(body))).status, 400);
    }
  });

  await t.test('each response has the headers that keep scripts and frames out', async () => {
    for (const path of ['/', '/assets/app.js', '/api/views/now', '/nothing']) {
      const { headers } = await get(path);
      const policy = String(headers['content-security-policy']);
      assert.match(policy, /default-src 'self';.* frame-ancestors 'none'/);
      assert.doesNotMatch(policy, /unsafe/);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['referrer-policy'], 'no-referrer');
      assert.equal(headers['x-frame-options'], 'DENY');
    }
    assert.equal((await get('/api/views/now')).headers['cache-control'], 'no-store');
  });

  assert.deepEqual(await cluster.pids(), before);
  assert.equal((await cluster.status()).lastReload, undefined);
});

/** Sends a body without an announced length, which does not end. @returns the status of the response */
function sendEndless(page: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const { port, hostname, host } = new URL(page);
    const socket = net.connect(Number(port), hostname, () => {
      socket.write(
        `POST /api/actions/scale HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`,
      );
      const chunk = `1000\r\n${'x'.repeat(4096)}\r\n`;
      for (let count = 0; count < 10; count += 1) socket.write(chunk);
    });
    socket.on('error', reject);
    socket.on('data', (data) => {
      resolve(Number(/^HTTP\/1.1 (\d+)/.exec(String(data))?.[1]));
      socket.destroy();
    });
  });
}

test('the files of the page have types, and are not sent again when they have not changed', async (t) => {
  const { page } = await startPage(t);
  const index = await request(page);
  assert.equal(index.status, 200);
  assert.equal(index.headers['content-type'], 'text/html; charset=utf-8');
  const files = [...index.body.matchAll(/(?:src|href)="(assets\/[^"]+)"/g)].map(([, file]) => file as string);
  assert.ok(files.length >= 2);
  const types: Record<string, RegExp> = { js: /^text\/javascript/, css: /^text\/css/, svg: /^image\/svg\+xml/ };
  for (const file of files) {
    const { status, headers, body } = await request(`${page}/${file}`);
    assert.equal(status, 200, file);
    assert.match(String(headers['content-type']), types[file.split('.').at(-1) as string] as RegExp);
    assert.equal(Number(headers['content-length']), Buffer.byteLength(body));
    const again = await request(`${page}/${file}`, { headers: { 'if-none-match': String(headers.etag) } });
    assert.deepEqual([again.status, again.body], [304, '']);
    const head = await request(`${page}/${file}`, { method: 'HEAD' });
    assert.deepEqual([head.status, head.body], [200, '']);
  }
});

test('without option page there are probes and metrics only', async (t) => {
  const { page } = await startPage(t, { admin: { page: false } });
  assert.equal((await request(`${page}/livez`)).status, 200);
  for (const path of ['/', '/assets/app.js', '/api/views/now', '/api/events']) {
    assert.equal((await request(page, { path })).status, 404, path);
  }
  assert.equal((await request(`${page}/api/actions/reload`, { method: 'POST' })).status, 405);
});
