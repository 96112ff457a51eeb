import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fixture, isAlive, printed, startTestCluster, until } from '../support/apps.js';
import { assertGone, childPids, closings } from '../support/children.js';
import { request, requestJson } from '../support/http.js';

const baseDir = fixture('faulty');

test('cluster 8.42 SIGTERM, SIGINT and SIGQUIT end the workers, then the Agent, and the Master with 0', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
    const cluster = await startTestCluster(t, { baseDir, workers: 1 });
    const pids = await childPids(cluster);
    assert.equal(await cluster.stop(signal), 0);
    assertGone(pids);
    await printed(cluster, /app closed[\s\S]*agent closed/);
  }
});

test('cluster 8.43 beforeClose is awaited, that of the Agent begins when the workers are gone', async (t) => {
  const cluster = await startTestCluster(t, { baseDir }, { CLOSE_DELAY: '300' });
  assert.equal(await cluster.stop(), 0);
  const apps = closings(cluster.output(), 'app');
  assert.equal(apps.length, 2);
  const [agent = 0] = closings(cluster.output(), 'agent');
  assert.ok(agent - Math.max(...apps) >= 290);
});

test('cluster 8.44 a beforeClose that hangs is cut off by EGG_APP_CLOSE_TIMEOUT and EGG_AGENT_CLOSE_TIMEOUT', async (t) => {
  const limits = { EGG_APP_CLOSE_TIMEOUT: '500', EGG_AGENT_CLOSE_TIMEOUT: '500' };
  const cluster = await startTestCluster(t, { baseDir, workers: 1 }, { CLOSE_DELAY: '60000', ...limits });
  const pids = await childPids(cluster);
  const begin = Date.now();
  assert.equal(await cluster.stop(), 0);
  const took = Date.now() - begin;
  assert.ok(took >= 1000 && took < 5000, `${took} ms`);
  assertGone(pids);
});

test('cluster 8.45 a request in flight is answered, and new connections are refused', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 1 });
  const slow = request(`${cluster.url}/slow?ms=3000`);
  await until('it is in flight', async () => (await cluster.status()).processes.some(({ inFlight }) => inFlight === 1));
  const exit = cluster.stop();
  await until('new connections are refused', () =>
    request(cluster.url).then(
      () => false,
      () => true,
    ),
  );
  assert.equal((await slow).status, 200);
  assert.equal(await exit, 0);
});

test('cluster 8.46 an Agent and a worker that are blocked are killed after their time', async (t) => {
  const limits = { EGG_MASTER_CLOSE_TIMEOUT: '400' };
  const cluster = await startTestCluster(t, { baseDir, workers: 1, hangTimeout: 0 }, limits);
  const pids = await childPids(cluster);
  await request(`${cluster.url}/tell?what=agent:block`);
  await request(`${cluster.url}/block`);
  assert.equal(await cluster.stop(), 0);
  assertGone(pids);
});

test('cluster 8.47 processes that a worker has started are gone, too, also one that ignores SIGTERM', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 1 });
  const { pid } = await requestJson<{ pid: number }>(`${cluster.url}/spawn`);
  assert.ok(isAlive(pid));
  assert.equal(await cluster.stop(), 0);
  await until('it is gone', () => !isAlive(pid));
});

test('the Master gets SIGKILL', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, hangTimeout: 400 });
  const pids = await childPids(cluster);
  await cluster.stop('SIGKILL');

  await t.test('cluster 8.48 workers and Agent end', async () => {
    await until('no child is left', () => pids.every((pid) => !isAlive(pid)), 5000);
  });

  await t.test('cluster 8.49 their hooks have run', () => {
    assert.equal(closings(cluster.output(), 'app').length, 2);
    assert.equal(closings(cluster.output(), 'agent').length, 1);
  });
});

test('cluster 8.92 with nobody to read its output the Master replaces workers, does not spin, and ends', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 1 });
  const [victim] = (await cluster.pids()).workers as [number];
  for (const stream of [cluster.child.stdout, cluster.child.stderr]) stream?.destroy();
  process.kill(victim, 'SIGKILL');
  await until('there is another worker', async () => {
    const { workers } = await cluster.pids();
    return workers.length === 1 && workers[0] !== victim;
  });
  /** Of user code, in hundredths of a second. */
  const usage = (): number => Number(readFileSync(`/proc/${cluster.child.pid}/stat`, 'utf8').split(' ')[13]);
  const before = usage();
  await until('a second has passed for the worker', async () =>
    (await cluster.status()).processes.some(({ kind, uptime }) => kind === 'app worker' && uptime > 1),
  );
  assert.ok(usage() - before < 50);
  assert.equal(await cluster.stop(), 0);
});
