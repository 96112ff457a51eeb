import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import {
  isAlive,
  printed,
  type RunningCluster,
  startTestCluster,
  temporaryDirectory,
  until,
} from '../../support/apps.js';

const tls = { key: path.resolve('test/fixtures/tls/key.pem'), cert: path.resolve('test/fixtures/tls/cert.pem') };
const SIZE = 30 * 1024 * 1024;

const APP = `
const body = Buffer.alloc(${SIZE}, 'x');
module.exports = (app) => {
  app.on('server', (server) => server.on('upgrade', (req, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: echo\\r\\nConnection: Upgrade\\r\\n\\r\\n');
    socket.pipe(socket);
  }));
  app.use(async (ctx) => {
    if (ctx.method === 'GET') return void (ctx.body = ctx.path === '/stream' ? require('node:stream').Readable.from([body]) : body);
    let length = 0;
    for await (const chunk of ctx.req) length += chunk.length;
    ctx.body = String(length);
  });
};`;

async function startApp(t: TestContext, options: object): Promise<RunningCluster> {
  const baseDir = temporaryDirectory(t);
  writeFileSync(path.join(baseDir, 'package.json'), '{ "name": "draining" }');
  writeFileSync(path.join(baseDir, 'app.js'), APP);
  return startTestCluster(t, { baseDir, workers: 1, ...options });
}

/** Reads about 1.5 MB, then waits; @returns how much has come until the end */
async function readSlowly(res: http.IncomingMessage, milliseconds: number): Promise<number> {
  let length = 0;
  let sincePause = 0;
  try {
    for await (const chunk of res) {
      length += chunk.length;
      sincePause += chunk.length;
      if (sincePause < 1_500_000) continue;
      sincePause = 0;
      await pause(milliseconds);
    }
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ECONNRESET');
  }
  return length;
}

async function get(url: string): Promise<http.IncomingMessage> {
  const req = url.startsWith('https')
    ? https.get(url, { agent: false, rejectUnauthorized: false })
    : http.get(url, { agent: false });
  const [res] = (await once(req, 'response')) as [http.IncomingMessage];
  return res;
}

for (const from of ['/', '/stream']) {
  test(`a response that is being read is sent to its end within killTimeout (${from})`, async (t) => {
    const cluster = await startApp(t, { killTimeout: 20_000 });
    const res = await get(cluster.url + from);
    const exit = cluster.stop();
    assert.equal(await readSlowly(res, 100), SIZE);
    assert.equal(await exit, 0);
    assert.doesNotMatch(cluster.output(), /has cut/);
  });
}

for (const [way, leave] of Object.entries<(cluster: RunningCluster) => Promise<void>>({
  reload: (cluster) => cluster.reload(),
  'scaling down': (cluster) => cluster.scale(1),
})) {
  test(`a ${way} cuts no response that is being read`, async (t) => {
    const cluster = await startApp(t, { workers: 2, killTimeout: 20_000 });
    const { workers } = await cluster.pids();
    const responses = await Promise.all(Array.from({ length: 4 }, () => get(cluster.url)));
    await leave(cluster);
    assert.deepEqual(await Promise.all(responses.map((res) => readSlowly(res, 100))), [SIZE, SIZE, SIZE, SIZE]);
    await until('an old worker is gone', () => workers.some((pid) => !isAlive(pid)));
    assert.doesNotMatch(cluster.output(), /has cut/);
  });
}

for (const [name, options] of Object.entries({ http: {}, https: { https: tls }, sticky: { sticky: true } })) {
  test(`${name}: with drainTimeout, what makes progress goes on after killTimeout, and what does not is cut and counted`, async (t) => {
    const cluster = await startApp(t, { killTimeout: 1500, drainTimeout: 60_000, ...options });
    const [read, stalled] = await Promise.all([get(cluster.url), get(cluster.url)]);
    stalled.on('error', () => undefined);
    const exit = cluster.stop();
    const begin = Date.now();
    assert.equal(await readSlowly(read, 200), SIZE);
    assert.ok(Date.now() - begin > 2000);
    assert.equal(await exit, 0);
    assert.ok((await readSlowly(stalled, 0)) < SIZE);
    await printed(cluster, /has cut 1 connections/);
  });
}

test('with drainTimeout an upload and a web socket go on after killTimeout while they are used', async (t) => {
  const cluster = await startApp(t, { killTimeout: 1500, drainTimeout: 60_000 });
  const upload = http.request(cluster.url, { method: 'POST', agent: false });
  const response = once(upload, 'response') as Promise<[http.IncomingMessage]>;
  upload.write('x'.repeat(1000));
  const upgrade = http.get(cluster.url, { agent: false, headers: { connection: 'Upgrade', upgrade: 'echo' } });
  const [, socket] = (await once(upgrade, 'upgrade')) as [unknown, import('node:net').Socket];
  const exit = cluster.stop();
  let echoes = 0;
  for (; echoes < 12; echoes += 1) {
    upload.write('x'.repeat(1000));
    socket.write('ping');
    assert.equal(String((await once(socket, 'data'))[0]), 'ping');
    await pause(250);
  }
  upload.end();
  const [res] = await response;
  assert.equal(String((await once(res, 'data'))[0]), '13000');
  socket.destroy();
  assert.equal(await exit, 0);
});

test('without drainTimeout what is open after killTimeout is cut and counted, and the hooks run', async (t) => {
  const cluster = await startApp(t, { killTimeout: 1500 });
  const upgrade = http.get(cluster.url, { agent: false, headers: { connection: 'Upgrade', upgrade: 'echo' } });
  const [, socket] = (await once(upgrade, 'upgrade')) as [unknown, import('node:net').Socket];
  socket.on('error', () => undefined);
  assert.equal(await cluster.stop(), 0);
  await printed(cluster, /has cut 1 connections/);
});
