import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { fixture, launch, startTestCluster, temporaryDirectory, until } from '../../support/apps.js';
import { freePort, request, requestJson } from '../../support/http.js';

const baseDir = fixture('faulty');
const tls = { key: path.resolve('test/fixtures/tls/key.pem'), cert: path.resolve('test/fixtures/tls/cert.pem') };

function get(options: https.RequestOptions, from: typeof http | typeof https = http): Promise<string> {
  return new Promise((resolve, reject) => {
    from
      .get({ agent: false, rejectUnauthorized: false, ...options } as https.RequestOptions, (res) => {
        let body = '';
        res.on('data', (chunk) => (body += String(chunk)));
        res.on('end', () => resolve(body));
      })
      .on('error', reject);
  });
}

function configured(listen: object): NodeJS.ProcessEnv {
  return { EGG_APP_CONFIG: JSON.stringify({ cluster: { listen } }) };
}

test('hostname restricts the interface, and the option port wins over config', async (t) => {
  const cluster = await startTestCluster(t, { baseDir }, configured({ hostname: '127.0.0.1', port: 1 }));
  assert.equal((await request(cluster.url)).status, 200);
  const { port } = new URL(cluster.url);
  await assert.rejects(get({ host: '127.0.0.2', port }), { code: 'ECONNREFUSED' });
});

test('without the option, the port of config is used', async (t) => {
  const port = await freePort();
  const cluster = await startTestCluster(t, { baseDir, port: undefined }, configured({ port }));
  assert.equal(cluster.url, `http://127.0.0.1:${port}`);
  assert.equal((await request(cluster.url)).status, 200);
});

test('a port that is no number ends the boot', async (t) => {
  const { exited, output } = launch(t, { baseDir, port: undefined }, configured({ port: null }));
  assert.equal(await exited, 1);
  assert.match(output(), /port should be number, but got null/);
});

test('a unix socket is served, by a replacement too, and a reload keeps it', async (t) => {
  const socketPath = path.join(temporaryDirectory(t), 'app.sock');
  const cluster = await startTestCluster(t, { baseDir }, configured({ path: socketPath }));
  assert.equal(cluster.url, socketPath);
  assert.match(await get({ socketPath }), /pid/);
  await cluster.reload();
  assert.match(await get({ socketPath }), /pid/);
  assert.equal(await cluster.stop(), 0);
  assert.equal(existsSync(socketPath), false);
});

test('a unix socket that a killed Master has left is no obstacle, one that is served ends the boot', async (t) => {
  const socketPath = path.join(temporaryDirectory(t), 'app.sock');
  const first = await startTestCluster(t, { baseDir }, configured({ path: socketPath }));
  await first.stop('SIGKILL');
  assert.ok(existsSync(socketPath));
  await startTestCluster(t, { baseDir, workers: 3 }, configured({ path: socketPath }));
  assert.match(await get({ socketPath }), /pid/);
  const { exited, output } = launch(t, { baseDir }, configured({ path: socketPath }));
  assert.equal(await exited, 1);
  assert.match(output(), /another process serves .*app\.sock/);
  assert.match(await get({ socketPath }), /pid/);
});

test('HTTPS is served from paths, plain HTTP on debugPort', async (t) => {
  const debugPort = await freePort();
  const cluster = await startTestCluster(t, { baseDir, https: tls, debugPort });
  assert.match(cluster.url, /^https:\/\/127\.0\.0\.1:\d+$/);
  const { port } = new URL(cluster.url);
  assert.match(await get({ host: '127.0.0.1', port }, https), /pid/);
  assert.match(await get({ host: '127.0.0.1', port: debugPort }), /pid/);
  assert.doesNotMatch(cluster.output(), /BEGIN/);
});

test('each leaf of the option https wins over that of config', async (t) => {
  const port = await freePort();
  const config = (https: object): NodeJS.ProcessEnv => ({
    EGG_APP_CONFIG: JSON.stringify({ cluster: { listen: { port }, https } }),
  });
  const mixed = await startTestCluster(t, { baseDir, port, https: { key: tls.key } }, config({ ...tls, key: '/no' }));
  assert.equal(mixed.url, `https://127.0.0.1:${port}`);
  assert.match(await get({ host: '127.0.0.1', port }, https), /pid/);
  await mixed.stop();
  const plain = await startTestCluster(t, { baseDir, port: undefined, https: false }, config(tls));
  assert.equal(plain.url, `http://127.0.0.1:${port}`);
  await plain.stop();
  const { exited, output } = launch(t, { baseDir, https: { key: tls.key } }, config({}));
  assert.equal(await exited, 1);
  assert.match(output(), /HTTPS has no certificate/);
});

test('W19: keys and passphrases are neither in the process list nor in what the Master prints', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, https: { ...tls, passphrase: 'open-sesame' } });
  const { agent, workers } = await cluster.pids();
  const { readFileSync } = await import('node:fs');
  for (const pid of [agent, ...workers]) {
    assert.doesNotMatch(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), /open-sesame|baseDir/);
  }
  assert.doesNotMatch(cluster.output(), /open-sesame/);
});

test('W16: with reusePort, or what stands in for it, the cluster is ready when every worker listens', async (t) => {
  const port = await freePort();
  const cluster = await startTestCluster(t, { baseDir, port, workers: 3, reusePort: true });
  assert.equal((await cluster.pids()).workers.length, 3);
  const seen = new Set<number>();
  await until(
    'all three have answered',
    async () => seen.add((await requestJson<{ pid: number }>(cluster.url)).pid).size === 3,
  );
});

test('with scheduling shared the kernel chooses the worker', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, scheduling: 'shared' });
  assert.equal((await request(cluster.url)).status, 200);
  await cluster.reload();
  assert.equal((await request(cluster.url)).status, 200);
});

test('a worker serves with the options of its app, with TLS and on the port for debugging as well', async (t) => {
  const app = temporaryDirectory(t);
  writeFileSync(path.join(app, 'package.json'), '{ "name": "options" }');
  writeFileSync(
    path.join(app, 'app.js'),
    `module.exports = (app) => app.use((ctx) => { ctx.body = String(ctx.res instanceof (app.serverOptions.ServerResponse ?? require('http').ServerResponse)); });`,
  );
  const debugPort = await freePort();
  const plain = await startTestCluster(t, { baseDir: app, workers: 1, debugPort });
  assert.equal((await request(plain.url)).body, 'true');
  assert.equal(await get({ host: '127.0.0.1', port: debugPort }), 'true');
  const secure = await startTestCluster(t, { baseDir: app, workers: 1, https: tls });
  assert.equal(await get({ host: '127.0.0.1', port: new URL(secure.url).port }, https), 'true');
});

test('a listener of the app itself is not taken for the service', async (t) => {
  const app = temporaryDirectory(t);
  const own = await freePort();
  writeFileSync(path.join(app, 'package.json'), '{ "name": "two-ports" }');
  writeFileSync(
    path.join(app, 'app.js'),
    `module.exports = class { async didLoad() { await new Promise((done) => require('node:http').createServer().listen(${own}, done)); } };`,
  );
  const cluster = await startTestCluster(t, { baseDir: app, workers: 1 });
  assert.notEqual(new URL(cluster.url).port, String(own));
});

for (const host of ['127.0.0.1', '::1']) {
  test(`sticky: all connections of a client at ${host} go to one worker`, async (t) => {
    const cluster = await startTestCluster(t, { baseDir, workers: 3, sticky: true });
    const { port } = new URL(cluster.url);
    const pids = await Promise.all(
      Array.from({ length: 20 }, () => get({ host, port }).then((body) => JSON.parse(body).pid)),
    );
    assert.equal(new Set(pids).size, 1);
  });
}

test('W13: when a sticky worker dies its clients go elsewhere, the others keep theirs', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 3, sticky: true });
  const { port } = new URL(cluster.url);
  const clients = Array.from({ length: 12 }, (_, index) => `127.0.0.${index + 2}`);
  const workerOf = async (localAddress: string): Promise<number> =>
    JSON.parse(await get({ host: '127.0.0.1', port, localAddress })).pid;
  const where = async () =>
    new Map(await Promise.all(clients.map(async (client) => [client, await workerOf(client)] as const)));
  const before = await where();
  assert.equal(new Set(before.values()).size, 3);
  const victim = before.get(clients[0] as string) as number;
  process.kill(victim, 'SIGKILL');
  assert.notEqual(await workerOf(clients[0] as string), victim);
  const others = clients.filter((client) => before.get(client) !== victim);
  for (const client of others) assert.equal(await workerOf(client), before.get(client));
  await until('there are three again', async () => (await cluster.pids()).workers.length === 3);
  const after = await where();
  for (const client of others) assert.equal(after.get(client), before.get(client));
});

test('W13: sticky drains and reloads without a failed request', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 1, sticky: true });
  const slow = request(`${cluster.url}/slow?ms=900`);
  await request(cluster.url);
  await cluster.reload();
  const late = request(`${cluster.url}/slow?ms=600`);
  await request(cluster.url);
  assert.equal(await cluster.stop(), 0);
  for (const answer of await Promise.all([slow, late])) assert.equal(answer.status, 200);
});

test('W13: a used public port ends the boot of a sticky cluster', async (t) => {
  const holder = net.createServer().listen(0);
  t.after(() => holder.close());
  const { port } = holder.address() as net.AddressInfo;
  const { exited, output } = launch(t, { baseDir, port, sticky: true });
  assert.equal(await exited, 1);
  assert.match(output(), new RegExp(`port ${port} is already used by \\S+, pid \\d+`));
});

test('sticky serves HTTPS, a unix socket or host of config, and upgraded connections', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 2, sticky: true, https: tls });
  const { port } = new URL(cluster.url);
  assert.match(await get({ host: '127.0.0.1', port }, https), /pid/);

  const echo = temporaryDirectory(t);
  writeFileSync(path.join(echo, 'package.json'), '{ "name": "echo" }');
  writeFileSync(
    path.join(echo, 'app.js'),
    `module.exports = (app) => app.on('server', (server) => server.on('upgrade', (req, socket) => {
       socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: echo\\r\\nConnection: Upgrade\\r\\n\\r\\n');
       socket.pipe(socket);
     }));`,
  );
  const second = await startTestCluster(
    t,
    { baseDir: echo, workers: 2, sticky: true },
    configured({ hostname: '127.0.0.1' }),
  );
  const upgrade = http.get(second.url, { headers: { connection: 'Upgrade', upgrade: 'echo' } });
  const answer = await new Promise((resolve, reject) => {
    upgrade.on('error', reject);
    upgrade.on('upgrade', (_res, socket) => {
      socket.on('data', (data: Buffer) => {
        resolve(String(data));
        socket.destroy();
      });
      socket.write('to and fro');
    });
  });
  assert.equal(answer, 'to and fro');
});
