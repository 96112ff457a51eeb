import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fixture, isAlive, printed, startTestCluster, temporaryDirectory, until } from '../../support/apps.js';
import { request, requestJson, startLoadProcess } from '../../support/http.js';

const baseDir = fixture('faulty');
/** Connections of the load, each with one request at a time. */
const CONNECTIONS = 4;

/** What a killed process may cost: the requests of the connections that it held. */
function assertOnlyReset(counts: Record<string, number>, kills: number): void {
  const { 200: ok = 0, ECONNRESET: reset = 0, EPIPE: broken = 0, ...others } = counts;
  assert.deepEqual(others, {}, JSON.stringify(counts));
  assert.ok(ok > 50, JSON.stringify(counts));
  assert.ok(reset + broken <= kills * CONNECTIONS, JSON.stringify(counts));
}

test('20 workers killed at random cost the requests that they held, and nothing more', async (t) => {
  const cluster = await startTestCluster(t, { baseDir });
  const load = await startLoadProcess(t, cluster.url, CONNECTIONS);
  for (let kills = 0; kills < 20; kills += 1) {
    const { workers } = await cluster.pids();
    const victim = workers[Math.floor(Math.random() * workers.length)] as number;
    process.kill(victim, 'SIGKILL');
    await until('there are two workers again', async () => {
      const now = (await cluster.pids()).workers;
      return now.length === 2 && !now.includes(victim);
    });
  }
  assertOnlyReset(await load.stop(), 20);
  // Kills from outside are no crash loop: none of them was answered with a delay.
  assert.doesNotMatch(cluster.output(), /backing off/);
});

test('workers that throw in a request finish what they have, and no request fails', async (t) => {
  const cluster = await startTestCluster(t, { baseDir });
  const load = await startLoadProcess(t, cluster.url, CONNECTIONS);
  for (let round = 0; round < 3; round += 1) {
    const { pid } = await requestJson<{ pid: number }>(`${cluster.url}/throw?ms=200`);
    await until('the worker is gone', () => !isAlive(pid));
    await until('there are two workers', async () => (await cluster.pids()).workers.length === 2);
  }
  const { 200: ok = 0, ...failed } = await load.stop();
  assert.deepEqual(failed, {});
  assert.ok(ok > 50);
});

test('a blocked worker costs the requests that it held', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, hangTimeout: 600 });
  const load = await startLoadProcess(t, cluster.url, CONNECTIONS);
  const { pid } = await requestJson<{ pid: number }>(`${cluster.url}/block`);
  await until('the worker is gone', () => !isAlive(pid));
  await until('there are two workers', async () => (await cluster.pids()).workers.length === 2);
  assertOnlyReset(await load.stop(), 1);
});

test('a killed Agent costs no request', async (t) => {
  const cluster = await startTestCluster(t, { baseDir });
  const load = await startLoadProcess(t, cluster.url, CONNECTIONS);
  for (let round = 0; round < 3; round += 1) {
    const { agent } = await cluster.pids();
    process.kill(agent as number, 'SIGKILL');
    await until('there is another Agent', async () => ![undefined, agent].includes((await cluster.pids()).agent));
  }
  const { 200: ok = 0, ...failed } = await load.stop();
  assert.deepEqual(failed, {});
  assert.ok(ok > 50);
});

for (const workers of [1, 2]) {
  test(`W8: 10 rolling reloads of ${workers} workers under load fail no request`, async (t) => {
    const cluster = await startTestCluster(t, { baseDir, workers });
    const load = await startLoadProcess(t, cluster.url, CONNECTIONS);
    for (let round = 0; round < 10; round += 1) {
      const before = await cluster.pids();
      await cluster.reload();
      const after = await cluster.pids();
      assert.equal(after.workers.length, workers);
      for (const pid of [before.agent, ...before.workers]) assert.ok(![after.agent, ...after.workers].includes(pid));
    }
    const { 200: ok = 0, ...failed } = await load.stop();
    assert.deepEqual(failed, {});
    assert.ok(ok > 50);
  });
}

test('a reload whose code does not boot ends with its error, and the old processes never stop serving', async (t) => {
  const faults = temporaryDirectory(t);
  const cluster = await startTestCluster(t, { baseDir }, { FAULT_DIR: faults });
  const load = await startLoadProcess(t, cluster.url, CONNECTIONS);
  const { workers } = await cluster.pids();
  writeFileSync(path.join(faults, 'broken'), 'yes');
  await assert.rejects(cluster.reload(), /broken at boot/);
  assert.deepEqual((await cluster.pids()).workers, workers);
  await printed(cluster, /reload failed, the old processes stay/);
  rmSync(path.join(faults, 'broken'));
  writeFileSync(path.join(faults, 'version'), '2');
  await cluster.reload();
  assert.equal((await requestJson<{ version: string }>(cluster.url)).version, '2');
  const { 200: ok = 0, ...failed } = await load.stop();
  assert.deepEqual(failed, {});
  assert.ok(ok > 50);
});

test('a crash loop after a reload is backed off, and a reload with good code ends it at once', async (t) => {
  const faults = temporaryDirectory(t);
  const cluster = await startTestCluster(t, { baseDir, workers: 1 }, { FAULT_DIR: faults });
  writeFileSync(path.join(faults, 'dies'), '100');
  await cluster.reload();
  await until('it backs off', () => cluster.output().includes('backing off'));
  rmSync(path.join(faults, 'dies'));
  await cluster.reload();
  assert.equal((await request(cluster.url)).status, 200);
});

test('reloads that are asked for during a reload become one', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 1 });
  const first = cluster.reload();
  await until('the first one runs', () => cluster.output().includes('is ready'));
  await Promise.all([first, cluster.reload(), cluster.reload()]);
  await printed(cluster, /\] reloaded[\s\S]*\] reloaded/);
  assert.equal(cluster.output().match(/\] reloaded/g)?.length, 2);
});

test('SIGHUP reloads; a request in flight on the old worker is answered', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 1 });
  const [old] = (await cluster.pids()).workers as [number];
  const slow = requestJson<{ pid: number }>(`${cluster.url}/slow?ms=1500`);
  await request(cluster.url);
  cluster.child.kill('SIGHUP');
  await until('it has reloaded', () => cluster.output().includes('] reloaded'));
  assert.notEqual((await requestJson<{ pid: number }>(cluster.url)).pid, old);
  assert.equal((await slow).pid, old);
  await until('the old worker is gone', () => !isAlive(old));
});
