import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { supportsReusePort } from '../../../cluster/options/options.js';
import { fixture, launch, printed, startTestCluster, temporaryDirectory, until } from '../../support/apps.js';
import { request, requestJson } from '../../support/http.js';

const baseDir = fixture('faulty');
const threads = { baseDir, startMode: 'worker_threads' };

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => net.createServer().listen(0));
  const ports = servers.map((server) => (server.address() as net.AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

test('W26: Agent and workers run as threads of one process, each worker on its port, with the same messages', async (t) => {
  const ports = await freePorts(2);
  const cluster = await startTestCluster(t, { ...threads, ports });
  const { workers, agent } = await cluster.pids();
  assert.equal(workers.length, 2);
  for (const port of ports) {
    assert.deepEqual(await requestJson(`http://127.0.0.1:${port}/`), { pid: cluster.child.pid, version: '0' });
  }
  // Ids of threads take the place of pids: the answer finds the one that asked.
  assert.ok(agent && !workers.includes(agent));
});

test('W26: a thread that throws drains and is replaced, at shutdown all are closed with their hooks', async (t) => {
  const cluster = await startTestCluster(t, { ...threads, workers: 1 });
  const [old] = (await cluster.pids()).workers as [number];
  const answer = await request(`${cluster.url}/throw?ms=300`);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.connection, 'close');
  await until('another thread serves', async () => {
    const { workers } = await cluster.pids();
    return workers.length === 1 && workers[0] !== old;
  });
  await until('it answers', () =>
    request(cluster.url).then(
      ({ status }) => status === 200,
      () => false,
    ),
  );
  const slow = request(`${cluster.url}/slow?ms=700`);
  await request(cluster.url);
  assert.equal(await cluster.stop(), 0);
  assert.equal((await slow).status, 200);
  await printed(cluster, /app closed/);
  await printed(cluster, /agent closed/);
});

test('W26: a blocked thread is replaced', async (t) => {
  const cluster = await startTestCluster(t, { ...threads, workers: 1, hangTimeout: 600 });
  const [old] = (await cluster.pids()).workers as [number];
  await request(`${cluster.url}/block`);
  await until('another thread serves', async () => {
    const { workers } = await cluster.pids();
    return workers.length === 1 && workers[0] !== old;
  });
});

test('W26: a thread that throws while it boots ends the boot', async (t) => {
  const faults = temporaryDirectory(t);
  writeFileSync(path.join(faults, 'broken'), 'yes');
  const { exited, output } = launch(t, { ...threads, workers: 1 }, { FAULT_DIR: faults });
  assert.equal(await exited, 1);
  assert.match(output(), /broken at boot/);
});

test('W26: a reload of threads loads the new code', async (t) => {
  const faults = temporaryDirectory(t);
  const cluster = await startTestCluster(t, { ...threads, workers: 1 }, { FAULT_DIR: faults });
  writeFileSync(path.join(faults, 'version'), '2');
  await cluster.reload();
  assert.equal((await requestJson<{ version: string }>(cluster.url)).version, '2');
});

test('W26: threads share a port where Node has reusePort', { skip: !supportsReusePort() }, async (t) => {
  const [port] = await freePorts(1);
  const cluster = await startTestCluster(t, { ...threads, workers: 2, port, reusePort: true });
  assert.equal((await cluster.pids()).workers.length, 2);
  assert.equal((await request(cluster.url)).status, 200);
});

test('a reload of a thread with a request in flight waits for it, and fills the slot once', async (t) => {
  const cluster = await startTestCluster(t, { ...threads, workers: 1 });
  const [old] = (await cluster.pids()).workers;
  const slow = requestJson(`${cluster.url}/slow?ms=1500`);
  await until('it is in flight', async () => (await cluster.status()).processes.some(({ inFlight }) => inFlight === 1));
  await cluster.reload();
  await slow;
  const { workers } = await cluster.pids();
  assert.equal(workers.length, 1);
  assert.notEqual(workers[0], old);
  assert.equal((await request(cluster.url)).status, 200);
  assert.doesNotMatch(cluster.output(), /EADDRINUSE|failed/);
});
