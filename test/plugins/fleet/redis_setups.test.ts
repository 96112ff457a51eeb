import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { Redis } from 'ioredis';
import { RedisAdapter } from '../../../plugins/fleet/lazy/redis.js';
import { ROOT, temporaryDirectory, until } from '../../support/apps.js';
import { SKIP } from '../../support/fleet.js';
import { freePort } from '../../support/http.js';
import { REDIS } from '../../support/redis.js';

const CERTIFICATE = path.join(ROOT, 'test/fixtures/tls/cert.pem');
const KEY = path.join(ROOT, 'test/fixtures/tls/key.pem');

/** A Redis with these flags; resolves when it accepts on `port`. */
async function startRedis(t: TestContext, flags: string[], options: object): Promise<ChildProcess> {
  const args = ['--bind', '127.0.0.1', '--save', '', '--dir', temporaryDirectory(t), ...flags];
  const child = spawn(REDIS as string, args, { stdio: 'ignore' });
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  const probe = new Redis({ ...options, retryStrategy: () => 50, maxRetriesPerRequest: null });
  probe.on('error', () => {});
  await probe.ping();
  probe.disconnect();
  return child;
}

async function connected(t: TestContext, client: Record<string, unknown>, url?: string): Promise<RedisAdapter> {
  const adapter = new RedisAdapter({ name: 'test', url, client, timeout: 2000, baseDir: ROOT });
  t.after(() => adapter.close());
  adapter.connect();
  await until('connected', () => adapter.connected);
  return adapter;
}

/** Uses all that the fleet uses. */
async function assertWorks(adapter: RedisAdapter): Promise<void> {
  const bucket = adapter.bucket({ name: 'things', ttl: 60_000 });
  const before = await bucket.get('a');
  const revision = await bucket.put('a', '1', before?.revision ?? 0);
  assert.ok(revision !== undefined && revision > (before?.revision ?? 0));
  assert.equal(await bucket.put('a', '2', 1), undefined);
  assert.deepEqual(await bucket.entries(), [{ key: 'a', value: '1', revision }]);
  const values = adapter.values('sessions');
  await values.set('s', 'one', 60_000);
  assert.equal(await values.get('s'), 'one');
  await values.remove('s');
  assert.equal((await adapter.take('k', { count: 3, limit: 1000, window: 60_000 })).granted, 3);
  const got: string[] = [];
  adapter.subscribe('news', (payload) => got.push(payload));
  await until('messages arrive', async () => {
    await adapter.publish('news', ['one', 'two']);
    return /one two/.test(got.join(' '));
  });
}

test('redis: TLS with a certificate of its own authority, and a user of an ACL with the rights of docs/fleet.md', {
  skip: SKIP.redis,
}, async (t) => {
  const port = await freePort();
  const ca = readFileSync(CERTIFICATE);
  const tls = { ca, checkServerIdentity: () => undefined };
  const files = ['--tls-cert-file', CERTIFICATE, '--tls-key-file', KEY, '--tls-ca-cert-file', CERTIFICATE];
  const rights = ['+@all', '-@dangerous', '-@admin', '+info', '~{clutch:test}*', '&{clutch:test}*'];
  await startRedis(
    t,
    ['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no', ...files].concat([
      '--user',
      'fleet',
      'on',
      '>open-sesame',
      ...rights,
      '--user',
      'default',
      'on',
      'nopass',
      '+ping',
      '+info',
    ]),
    { host: '127.0.0.1', port, tls },
  );
  const user = { username: 'fleet', password: 'open-sesame' };
  await assertWorks(await connected(t, { tls, ...user }, `rediss://127.0.0.1:${port}`));
  const errors: string[] = [];
  for (const [client, url] of [
    [{ ...user }, `rediss://127.0.0.1:${port}`],
    [{ tls, ...user, password: 'wrong' }, `rediss://127.0.0.1:${port}`],
  ] as const) {
    const stranger = new RedisAdapter({ name: 'test', url, client, timeout: 2000, baseDir: ROOT });
    t.after(() => stranger.close());
    stranger.onChange = (_, error) => error && errors.push(error.message);
    stranger.connect();
  }
  await until('an unknown certificate is refused', () => errors.some((each) => /self.signed|certificate/i.test(each)));
  await until('a wrong password is refused', () => errors.some((each) => /WRONGPASS/.test(each)));
});

test('redis: with Sentinel it finds the next primary, and revisions go on growing', {
  skip: SKIP.redis,
  timeout: 120_000,
}, async (t) => {
  const [first, second, ...sentinels] = await Promise.all(Array.from({ length: 5 }, freePort));
  const host = '127.0.0.1';
  const primary = await startRedis(t, ['--port', String(first)], { host, port: first });
  await startRedis(t, ['--port', String(second), '--replicaof', host, String(first)], { host, port: second });
  for (const port of sentinels) {
    const file = path.join(temporaryDirectory(t), 'sentinel.conf');
    writeFileSync(
      file,
      `port ${port}\nbind 127.0.0.1\ndir ${path.dirname(file)}\nsentinel monitor fleet 127.0.0.1 ${first} 2
sentinel down-after-milliseconds fleet 1000\nsentinel failover-timeout fleet 5000\n`,
    );
    const child = spawn(REDIS as string, [file, '--sentinel'], { stdio: 'ignore' });
    t.after(async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    });
  }
  const asker = new Redis({ host, port: sentinels[0], retryStrategy: () => 50, maxRetriesPerRequest: null });
  asker.on('error', () => {});
  t.after(() => asker.disconnect());
  await until('the sentinels know each other and the replica', async () => {
    const info = String(await asker.call('INFO', 'sentinel'));
    return /slaves=1,sentinels=3/.test(info);
  });
  const adapter = await connected(t, { sentinels: sentinels.map((port) => ({ host, port })), name: 'fleet' });
  await assertWorks(adapter);
  const bare = new Redis({ host, port: first });
  await bare.call('WAIT', '1', '5000');
  bare.disconnect();
  primary.kill('SIGKILL');
  await until('the loss is noticed', () => !adapter.connected);
  await until('the other one is the primary', () => adapter.connected, 60_000);
  await until(
    'it can be written to',
    () =>
      assertWorks(adapter).then(
        () => true,
        () => false,
      ),
    30_000,
  );
});

test('redis: a Cluster of three nodes', { skip: SKIP.redis, timeout: 120_000 }, async (t) => {
  const host = '127.0.0.1';
  const ports = await Promise.all(Array.from({ length: 3 }, freePort));
  const buses = await Promise.all(Array.from({ length: 3 }, freePort));
  for (const [index, port] of ports.entries()) {
    const flags = ['--cluster-enabled', 'yes', '--cluster-port', String(buses[index])];
    await startRedis(t, ['--port', String(port), ...flags], { host, port });
  }
  const nodes = ports.map((port) => new Redis({ host, port }));
  t.after(() => {
    for (const node of nodes) node.disconnect();
  });
  for (const [index, node] of nodes.entries()) {
    const begin = Math.floor((16384 * index) / 3);
    const end = Math.floor((16384 * (index + 1)) / 3) - 1;
    await node.call('CLUSTER', 'ADDSLOTSRANGE', String(begin), String(end));
    if (index > 0) await node.call('CLUSTER', 'MEET', host, String(ports[0]), String(buses[0]));
  }
  for (const node of nodes) {
    await until('each node knows all', async () => {
      const info = String(await node.call('CLUSTER', 'INFO'));
      return /cluster_state:ok/.test(info) && /cluster_known_nodes:3/.test(info);
    });
  }
  await assertWorks(await connected(t, { nodes: ports.map((port) => `redis://${host}:${port}`) }));
});
