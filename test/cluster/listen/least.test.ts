import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestCluster, until } from '../../support/apps.js';
import { request } from '../../support/http.js';
import { writeApp } from '../../support/loaded_app.js';

const FILES = {
  'app/router.js': `module.exports = ({ router }) => {
    const held = [];
    router.get('/', (ctx) => { ctx.body = String(process.pid); });
    router.get('/hold', async (ctx) => { ctx.body = String(process.pid); await new Promise((done) => held.push(done)); });
    router.get('/free', (ctx) => { for (const done of held.splice(0)) done(); ctx.body = String(process.pid); });
  };`,
};

test('scheduling least: connections go to the worker with the fewest requests in flight', async (t) => {
  const cluster = await startTestCluster(t, { baseDir: writeApp(t, FILES), workers: 2, scheduling: 'least' });
  // Each on a connection of its own.
  const ask = async (where: string): Promise<number> => Number((await request(`${cluster.url}${where}`)).body);
  const inFlight = async (): Promise<number[]> =>
    (await cluster.status()).processes.filter(({ kind }) => kind === 'app worker').map((each) => each.inFlight ?? 0);
  const held = [ask('/hold'), ask('/hold'), ask('/hold')];
  await until(
    'three requests are in flight',
    async () => (await inFlight()).reduce((sum, each) => sum + each, 0) === 3,
  );
  const spread = await inFlight();
  assert.deepEqual([...spread].sort(), [1, 2], 'what was sent since the last report counts as well');
  const workers = (await cluster.status()).processes.filter(({ kind }) => kind === 'app worker');
  const [idler] = workers.filter((each) => each.inFlight === 1);
  for (let count = 0; count < 10; count += 1) {
    assert.equal(await ask('/'), idler?.pid);
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  await cluster.stop('SIGKILL');
  await Promise.allSettled(held);
});

test('status and metrics count requests and connections of each worker', async (t) => {
  const baseDir = writeApp(t, FILES);
  const cluster = await startTestCluster(t, { baseDir, workers: 2, admin: { port: 0 } });
  const pids = new Set<number>();
  for (let count = 0; count < 6; count += 1) pids.add(Number((await request(cluster.url)).body));
  assert.equal(pids.size, 2);
  const total = await until('the requests are counted', async () => {
    const workers = (await cluster.status()).processes.filter(({ kind }) => kind === 'app worker');
    return workers.reduce((sum, { requests = 0 }) => sum + requests, 0) === 6 && workers;
  });
  assert.deepEqual(
    total.map(({ requests }) => requests),
    [3, 3],
  );
  const { body } = await request(`${await cluster.admin()}/metrics`);
  for (const { pid, slot } of total) {
    assert.match(
      body,
      new RegExp(`^clutch_worker_requests\\{kind="app worker",pid="${pid}",slot="${slot}"\\} 3$`, 'm'),
    );
    assert.match(body, new RegExp(`^clutch_connections\\{kind="app worker",pid="${pid}"\\} \\d+$`, 'm'));
  }
});
