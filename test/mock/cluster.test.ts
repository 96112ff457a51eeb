import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { cluster, type MockCluster, type MockClusterOptions } from 'koa-clutch/mock';
import { isAlive } from '../support/apps.js';
import { writeApp } from '../support/loaded_app.js';

const FILES = {
  'config/config.default.js': `exports.keys = 'k';`,
  'app/router.js': `module.exports = (app) => app.get('/', (ctx) => { ctx.body = { pid: process.pid }; });`,
};

async function start(t: TestContext, options: MockClusterOptions = {}): Promise<MockCluster> {
  const running = await cluster({ baseDir: writeApp(t, FILES), ...options });
  t.after(() => running.close());
  return running;
}

test('a killed worker is replaced, and of a load only what it held is lost', async (t) => {
  const c = await start(t, { workers: 2 });
  c.startLoad({ connections: 4 });
  const { pid, successor } = await c.kill('worker');
  assert.ok(!isAlive(pid) && isAlive(successor));
  const { requests, lost } = await c.losses();
  assert.ok(requests > 0);
  assert.ok(lost <= 4, `${lost} of ${requests}`);
});

test('a reload and a worker more or less lose nothing', async (t) => {
  const c = await start(t, { workers: 2 });
  c.startLoad();
  await c.reload();
  await c.scale(1);
  const { requests, lost, results } = await c.losses();
  assert.ok(requests > 0);
  assert.equal(lost, 0, JSON.stringify(results));
  const { processes } = await c.status();
  assert.equal(processes.filter(({ kind, state }) => kind === 'app worker' && state === 'ready').length, 1);
});

test('the Agent is killed and comes back', async (t) => {
  const c = await start(t);
  const { pid, successor } = await c.kill('agent');
  assert.notEqual(pid, successor);
  assert.equal((await fetch(c.url)).status, 200);
});

test('a worker whose event loop is blocked too long is replaced', async (t) => {
  const c = await start(t, { hangTimeout: 1000 });
  const { pid } = await c.blockLoop('worker', 60_000);
  await c.printed(new RegExp(`${pid}`));
  const { pid: next } = (await (await fetch(c.url)).json()) as { pid: number };
  assert.notEqual(next, pid);
});

test('close drains, and a cluster that does not start tells what it has printed', async (t) => {
  const c = await start(t);
  assert.equal(await c.close(), 0);
  await assert.rejects(c.status(), /the cluster has ended/);
  const baseDir = writeApp(t, { 'app.js': `module.exports = () => { throw new Error('no database'); };` });
  await assert.rejects(cluster({ baseDir }), /has not started \(exit code 1\)[\s\S]*no database/);
});
