import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import tls from 'node:tls';
import { startTestCluster, until } from '../../support/apps.js';
import { request } from '../../support/http.js';
import { writeApp } from '../../support/loaded_app.js';

const files = {
  'app.js': `module.exports = class {
    constructor(app) {
      this.app = app;
      const value = { ...app.serverOptions, connectionsCheckingInterval: 50, headersTimeout: 200, requestTimeout: 200 };
      Object.defineProperty(app, 'serverOptions', { value });
      app.use((ctx) => { ctx.body = String(process.pid); });
    }
    async beforeClose() { console.log('app closed'); }
  };`,
};
const https = { key: path.resolve('test/fixtures/tls/key.pem'), cert: path.resolve('test/fixtures/tls/cert.pem') };

/** Sends bytes and waits for the end of the connection; @returns what has come */
async function closed(socket: net.Socket, bytes: string): Promise<string> {
  let received = '';
  socket.on('data', (chunk) => {
    received += String(chunk);
  });
  socket.on('error', () => undefined);
  socket.write(bytes);
  await once(socket, 'close');
  return received;
}

for (const [name, options] of Object.entries({ http: {}, https: { https } })) {
  test(`sticky, ${name}: clients that are too slow are timed out, and idle ones are closed at SIGTERM`, async (t) => {
    const cluster = await startTestCluster(t, { baseDir: writeApp(t, files), workers: 1, sticky: true, ...options });
    const port = Number(new URL(cluster.url).port);
    const connect = (): net.Socket =>
      name === 'http'
        ? net.connect(port, '127.0.0.1')
        : tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    assert.match(await closed(connect(), 'GET / HTTP/1.1\r\nhost:'), /^HTTP\/1\.1 408 /);
    const upload = 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n1';
    assert.match(await closed(connect(), upload), /^HTTP\/1\.1 408 |^HTTP\/1\.1 200 /);
    const idle = connect();
    idle.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await once(idle, 'data');
    const gone = once(idle, 'close');
    assert.equal(await cluster.stop(), 0);
    await gone;
    assert.match(cluster.output(), /app closed/);
    assert.doesNotMatch(cluster.output(), /has cut|killed/);
  });
}

test('sticky: what comes after the channel of a worker has closed and before it exits is served by another one', {
  timeout: 60_000,
}, async (t) => {
  const app = `module.exports = (app) => app.use((ctx) => {
    ctx.body = String(process.pid);
    if (ctx.path !== '/leave') return;
    process.disconnect();
    // It does not exit at once.
    setTimeout(() => { for (const end = Date.now() + 1000; Date.now() < end; ); }, 20);
  });`;
  const cluster = await startTestCluster(t, { baseDir: writeApp(t, { 'app.js': app }), workers: 2, sticky: true });
  const { body: left } = await request(`${cluster.url}/leave`);
  const answers: Promise<{ status: number; body: string }>[] = [];
  // The Master waits 100 ms for the exit before it takes the worker for lost.
  for (const end = Date.now() + 150; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 2))) {
    answers.push(request(cluster.url));
  }
  for (const { status } of await Promise.all(answers)) assert.equal(status, 200);
  await until('the worker is replaced', async () => {
    const { workers } = await cluster.pids();
    return workers.length === 2 && !workers.includes(Number(left));
  });
});

const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0;

function setLimit(pid: number, limit: number): void {
  const { stderr, status } = spawnSync('prlimit', ['--pid', String(pid), `--nofile=${limit}:`], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}

/** Sockets that a process has open. */
function descriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

test('sticky: connections that a worker without file descriptors cannot receive go to another one, and come back', {
  skip: hasPrlimit ? false : 'no prlimit',
}, async (t) => {
  const cluster = await startTestCluster(t, { baseDir: writeApp(t, files), workers: 2, sticky: true });
  const { workers, master } = await cluster.pids();
  const before = descriptors(master);
  const first = Number((await request(cluster.url)).body);
  const other = workers.find((pid) => pid !== first) as number;
  setLimit(first, 1);
  const answers = await Promise.all(Array.from({ length: 6 }, () => request(cluster.url)));
  assert.deepEqual(new Set(answers.map(({ body }) => Number(body))), new Set([other]));
  setLimit(other, 1);
  // No worker can take it: it is closed after a second, not left.
  await assert.rejects(request(cluster.url), { code: 'ECONNRESET' });
  const waiting = request(cluster.url);
  for (const pid of workers) setLimit(pid, 1000);
  assert.equal(Number((await waiting).body), first);
  await until('the Master has no connection left', () => descriptors(master) <= before);
});
