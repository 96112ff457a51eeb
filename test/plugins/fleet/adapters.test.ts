import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { NatsAdapter } from '../../../plugins/fleet/lazy/nats.js';
import { RedisAdapter } from '../../../plugins/fleet/lazy/redis.js';
import type { FleetAdapter } from '../../../plugins/fleet/lib/adapter/adapter.js';
import { MemoryAdapter } from '../../../plugins/fleet/lib/adapter/memory.js';
import { ROOT, until } from '../../support/apps.js';
import { SKIP, startServer, type TestServer } from '../../support/fleet.js';

const CLASSES = { memory: MemoryAdapter, redis: RedisAdapter, nats: NatsAdapter };

type Kind = keyof typeof CLASSES;

async function connected(t: TestContext, kind: Kind, url?: string, client = {}): Promise<FleetAdapter> {
  const adapter = new CLASSES[kind]({ name: `test-${kind}`, url, client, timeout: 1000, baseDir: ROOT });
  t.after(() => adapter.close());
  adapter.connect();
  await until('connected', () => adapter.connected);
  return adapter;
}

async function serverFor(t: TestContext, kind: Kind): Promise<TestServer | undefined> {
  return kind === 'memory' ? undefined : startServer(t, kind);
}

for (const kind of ['memory', 'redis', 'nats'] as const) {
  const skip = kind === 'memory' ? false : SKIP[kind];

  test(`${kind}: messages reach every subscriber in order`, { skip }, async (t) => {
    const server = await serverFor(t, kind);
    const [a, b] = [await connected(t, kind, server?.url), await connected(t, kind, server?.url)];
    const got: string[] = [];
    b.subscribe('news', (payload) => got.push(payload));
    const probe = await until('subscribed', async () => {
      await a.publish('news', ['probe']);
      return got.includes('probe');
    });
    assert.ok(probe);
    const sent = Array.from({ length: 300 }, (_, index) => `message ${index}`);
    for (let index = 0; index < 300; index += 50) await a.publish('news', sent.slice(index, index + 50));
    await until('all are there', () => got.at(-1) === 'message 299');
    assert.deepEqual(
      got.filter((payload) => payload !== 'probe'),
      sent,
    );
  });

  test(`${kind}: a bucket writes by compare-and-set, with revisions that grow past the end of an entry`, {
    skip,
  }, async (t) => {
    const server = await serverFor(t, kind);
    const [a, b] = [await connected(t, kind, server?.url), await connected(t, kind, server?.url)];
    const options = { name: 'things', ttl: 1000 };
    const [ours, theirs] = [a.bucket(options), b.bucket(options)];
    const key = 'a name: with. odd/characters ü';
    const created = await Promise.all([ours.put(key, 'a', 0), theirs.put(key, 'b', 0)]);
    assert.equal(created.filter((revision) => revision !== undefined).length, 1);
    const first = await ours.get(key);
    assert.ok(first);
    const second = await theirs.put(key, 'c', first.revision);
    assert.ok(second !== undefined && second > first.revision);
    assert.equal(await ours.put(key, 'd', first.revision), undefined);
    assert.deepEqual(await ours.entries(), [{ key, value: 'c', revision: second }]);
    await until('it has expired', async () => (await ours.get(key)) === undefined);
    assert.deepEqual(await ours.entries(), []);
    const third = await ours.put(key, 'e', 0);
    assert.ok(third !== undefined && third > second);
    await theirs.remove(key, second);
    assert.equal((await ours.get(key))?.value, 'e');
    await theirs.remove(key, third);
    assert.equal(await ours.get(key), undefined);
    const fourth = await ours.put(key, 'f', 0);
    assert.ok(fourth !== undefined && fourth > third);
  });

  test(`${kind}: an entry that is written again and again does not expire`, { skip }, async (t) => {
    const server = await serverFor(t, kind);
    const bucket = (await connected(t, kind, server?.url)).bucket({ name: 'kept', ttl: 1500 });
    let revision = await bucket.put('a', '1', 0);
    for (let times = 0; times < 5; times++) {
      await sleep(500);
      revision = await bucket.put('a', '1', revision as number);
      assert.ok(revision !== undefined);
    }
  });
}

for (const kind of ['redis', 'nats'] as const) {
  test(`${kind}: it is back after the server was killed, and calls fail at once meanwhile`, {
    skip: SKIP[kind],
  }, async (t) => {
    const server = await startServer(t, kind);
    const adapter = await connected(t, kind, server.url);
    const got: string[] = [];
    adapter.subscribe('news', (payload) => got.push(payload));
    const bucket = adapter.bucket({ name: 'things', ttl: 0 });
    const before = await bucket.put('a', '1', 0);
    await server.stop();
    await until('the loss is noticed', () => !adapter.connected);
    const started = performance.now();
    await assert.rejects(bucket.get('a'), { code: 'ERR_CLUTCH_FLEET', message: /no connection to/ });
    assert.ok(performance.now() - started < 1500);
    await server.start();
    await until('connected again', () => adapter.connected, 20_000);
    assert.equal((await bucket.get('a'))?.revision, before);
    await until('messages arrive again', async () => {
      await adapter.publish('news', ['again']);
      return got.length > 0;
    });
  });

  test(`${kind}: a server that stands still makes calls fail in time`, { skip: SKIP[kind] }, async (t) => {
    const server = await startServer(t, kind);
    const adapter = await connected(t, kind, server.url);
    const bucket = adapter.bucket({ name: 'things', ttl: 0 });
    await bucket.put('a', '1', 0);
    await server.freeze();
    await assert.rejects(bucket.get('a'));
    server.thaw();
    await until('it replies again', () => bucket.get('a').catch(() => undefined), 20_000);
  });
}

test('redis: a user with a password and few rights, as ACL gives them', { skip: SKIP.redis }, async (t) => {
  const rights = '+@all -@dangerous -@admin +info ~{clutch:test-redis}* &{clutch:test-redis}*'.split(' ');
  const server = await startServer(t, 'redis', [
    '--user',
    'fleet',
    'on',
    '>secret',
    ...rights,
    '--user',
    'default',
    'off',
  ]);
  const adapter = await connected(t, 'redis', server.url, { username: 'fleet', password: 'secret' });
  const bucket = adapter.bucket({ name: 'things', ttl: 1000 });
  const revision = await bucket.put('a', '1', 0);
  assert.ok(revision);
  assert.equal((await bucket.entries()).length, 1);
  const errors: string[] = [];
  const stranger = new RedisAdapter({ name: 'test-redis', url: server.url, client: {}, timeout: 1000, baseDir: ROOT });
  t.after(() => stranger.close());
  stranger.onChange = (_, error) => error && errors.push(error.message);
  stranger.connect();
  await until('it is refused', () => errors.some((message) => /NOAUTH|WRONGPASS/.test(message)));
});

test('redis: a Redis Cluster', { skip: SKIP.redis }, async (t) => {
  const server = await startServer(t, 'redis', ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1']);
  const bare = new Redis(server.url);
  t.after(() => bare.disconnect());
  await bare.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  await until('the cluster is up', async () => /cluster_state:ok/.test(String(await bare.call('CLUSTER', 'INFO'))));
  const adapter = await connected(t, 'redis', undefined, { nodes: [server.url] });
  const bucket = adapter.bucket({ name: 'things', ttl: 1000 });
  assert.ok(await bucket.put('a', '1', 0));
  assert.equal((await bucket.entries()).length, 1);
  const got: string[] = [];
  adapter.subscribe('news', (payload) => got.push(payload));
  await until('messages arrive', async () => {
    await adapter.publish('news', ['one', 'two']);
    return /one two/.test(got.join(' '));
  });
  assert.doesNotMatch(got.join(' '), /one one|two two/);
});

test('redis: a client that is not installed is named with the way out', async () => {
  const { loadClient } = await import('../../../plugins/fleet/lib/adapter/load_client.js');
  assert.throws(
    () =>
      loadClient('no-such-client', {
        baseDir: ROOT,
        code: 'ERR_CLUTCH_FLEET',
        where: 'config.fleet.adapter is "redis"',
      }),
    {
      code: 'ERR_CLUTCH_FLEET',
      message: /no-such-client is not installed[\s\S]*npm install no-such-client/,
    },
  );
});
