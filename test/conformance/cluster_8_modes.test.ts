import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { test } from 'node:test';
import { fixture, launch, printed, startTestCluster, until } from '../support/apps.js';
import { freePort, request, requestJson } from '../support/http.js';

const baseDir = fixture('faulty');

/** A request of a client with that address. @returns the pid of the worker that serves it */
function askFrom(localAddress: string, url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    http
      .get(url, { agent: false, localAddress }, (res) => {
        let body = '';
        res.on('data', (chunk) => (body += String(chunk)));
        res.on('end', () => resolve((JSON.parse(body) as { pid: number }).pid));
      })
      .on('error', reject);
  });
}

test('cluster 8.87 worker_threads serve each of the ports in one process', async (t) => {
  const ports = [await freePort(), await freePort()];
  const cluster = await startTestCluster(t, { baseDir, startMode: 'worker_threads', ports });
  for (const port of ports) {
    assert.equal((await requestJson<{ pid: number }>(`http://127.0.0.1:${port}/`)).pid, cluster.child.pid);
  }
});

test('a sticky cluster', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 3, sticky: true });
  const clients = ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5'];
  const workerOf = new Map<string, number>();

  await t.test('cluster 8.88 all connections of an address go to one worker', async () => {
    const seen = new Set<number>();
    for (let index = 0; index < 20; index += 1) seen.add(await askFrom('127.0.0.1', cluster.url));
    assert.equal(seen.size, 1);
    for (const client of clients) workerOf.set(client, await askFrom(client, cluster.url));
  });

  await t.test(
    'cluster 8.89 when the worker dies, its clients go to a live one and the others keep theirs',
    async () => {
      const victim = workerOf.get('127.0.0.1') as number;
      process.kill(victim, 'SIGKILL');
      await until('it is gone', async () => !(await cluster.pids()).workers.includes(victim));
      assert.notEqual(await askFrom('127.0.0.1', cluster.url), victim);
      for (const [client, worker] of workerOf) {
        if (worker !== victim) assert.equal(await askFrom(client, cluster.url), worker);
      }
    },
  );
});

test('cluster 8.90 a public port that is used ends the boot of a sticky cluster', async (t) => {
  const other = net.createServer().listen(0);
  t.after(() => other.close());
  const { port } = other.address() as net.AddressInfo;
  const { exited, output } = launch(t, { baseDir, workers: 1, port, sticky: true });
  assert.equal(await exited, 1);
  assert.match(output(), /EADDRINUSE/);
});

/** @returns how many sockets of this machine listen on a port */
function listeners(port: number): number {
  const address = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => readFileSync(file, 'utf8').split('\n'));
  const LISTEN = '0A';
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => local?.endsWith(address) && state === LISTEN).length;
}

test('cluster 8.91 reusePort: a socket for each worker, or a warning and one; ready when all workers listen', async (t) => {
  const port = await freePort();
  const cluster = await startTestCluster(t, { baseDir, port, workers: 2, reusePort: true });
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isSupported = major > 22 || (major === 22 && minor >= 12);
  assert.equal(listeners(port), isSupported ? 2 : 1);
  await printed(cluster, /started on/);
  assert.equal(/reusePort needs Node .* falling back to rr/.test(cluster.output()), !isSupported);
  assert.equal((await cluster.pids()).workers.length, 2);
  assert.equal((await request(cluster.url)).status, 200);
});
