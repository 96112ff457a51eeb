import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { launch, startTestCluster, until } from '../../support/apps.js';
import { freePort, request } from '../../support/http.js';
import { writeApp } from '../../support/loaded_app.js';

const ROUTER = `module.exports = ({ router }) => {
  router.get('/', (ctx) => { ctx.body = { pid: process.pid }; });
  router.get('/exit', () => process.exit(5));
};`;

function app(t: TestContext, files: Record<string, string> = {}): string {
  return writeApp(t, { 'package.json': '{ "name": "ready" }', 'app/router.js': ROUTER, ...files });
}

async function status(url: string): Promise<number> {
  return (await request(url).catch(() => ({ status: 0 }))).status;
}

test('ready: { min: 1 } starts with one worker, and the others join', async (t) => {
  // Only the first slot boots at once; the others wait for a file that the test writes.
  const baseDir = app(t, {
    'app.js': `const { existsSync } = require('node:fs');
      module.exports = class { async willReady() {
        if (process.env.CFORK_WORKER_INDEX === '0') return;
        while (!existsSync(__dirname + '/go')) await new Promise((done) => setTimeout(done, 20));
      } };`,
  });
  const cluster = await startTestCluster(t, { baseDir, workers: 3, ready: { min: 1 }, admin: { port: 0 } });
  const admin = await cluster.admin();
  assert.equal((await cluster.pids()).workers.length, 1);
  assert.equal(await status(`${admin}/readyz`), 200);
  assert.equal(await status(`${admin}/startupz`), 200);
  writeFileSync(`${baseDir}/go`, '');
  await until('all three are ready', async () => (await cluster.pids()).workers.length === 3);
});

test('a share as policy: /readyz is 503 below it, and /livez stays 200', async (t) => {
  const baseDir = app(t, {
    // What is started after the boot waits.
    'app.js': `const { existsSync } = require('node:fs');
      module.exports = class { async willReady() {
        while (existsSync(__dirname + '/hold')) await new Promise((done) => setTimeout(done, 20));
      } };`,
  });
  const cluster = await startTestCluster(t, { baseDir, workers: 2, ready: '100%', admin: { port: 0 } });
  const admin = await cluster.admin();
  assert.equal(await status(`${admin}/readyz`), 200);
  writeFileSync(`${baseDir}/hold`, '');
  const [pid] = (await cluster.pids()).workers;
  process.kill(pid as number, 'SIGKILL');
  await until('it is not ready', async () => (await status(`${admin}/readyz`)) === 503);
  assert.equal(await status(`${admin}/livez`), 200);
  assert.equal(await status(`${admin}/startupz`), 200);
  rmSync(`${baseDir}/hold`);
  await until('it is ready again', async () => (await status(`${admin}/readyz`)) === 200);
});

test('preStopDelay: after SIGTERM readiness is false while requests are served', async (t) => {
  const cluster = await startTestCluster(t, { baseDir: app(t), workers: 1, preStopDelay: 1500, admin: { port: 0 } });
  const admin = await cluster.admin();
  assert.equal(await status(`${cluster.url}/-/ready`), 200);
  const begin = Date.now();
  const exited = once(cluster.child, 'exit');
  cluster.child.kill('SIGTERM');
  await until('the Master is not ready', async () => (await status(`${admin}/readyz`)) === 503);
  await until('the worker is not ready', async () => (await status(`${cluster.url}/-/ready`)) === 503);
  assert.equal(await status(cluster.url), 200);
  const [code] = await exited;
  assert.equal(code, 0);
  assert.ok(Date.now() - begin >= 1500);
});

test('the admin listener answers probes while the cluster boots', async (t) => {
  const baseDir = app(t, {
    'app.js': `const { existsSync } = require('node:fs');
      module.exports = class { async willReady() {
        while (!existsSync(__dirname + '/go')) await new Promise((done) => setTimeout(done, 20));
      } };`,
  });
  const port = await freePort();
  const { messages } = launch(t, { baseDir, workers: 1, admin: { port } });
  const admin = `http://127.0.0.1:${port}`;
  await until('it listens', async () => (await status(`${admin}/livez`)) === 200);
  assert.equal(await status(`${admin}/startupz`), 503);
  assert.equal(await status(`${admin}/readyz`), 503);
  writeFileSync(`${baseDir}/go`, '');
  await until('it is ready', () => messages.find(({ action }) => action === 'egg-ready'));
  assert.equal(await status(`${admin}/startupz`), 200);
});
