import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { fixture, type RunningCluster, startTestCluster, until } from '../support/apps.js';
import { requestJson } from '../support/http.js';
import { pair } from '../support/leader_pair.js';

interface Reply<T> {
  pid: number;
  value: T;
  error?: { name: string; message: string };
}

const ask = <T>({ url }: RunningCluster, where: string): Promise<Reply<T>> => requestJson(`${url}${where}`);

/** What each of two workers has been told. */
async function toldToAll(cluster: RunningCluster): Promise<string[][]> {
  const told = new Map<number, string[]>();
  await until('both have answered', async () => {
    const { pid, value } = await ask<string[]>(cluster, '/told');
    return told.set(pid, value).size === 2;
  });
  return [...told.values()];
}

/** A registry whose values live in the process of the real client. */
class Registry extends EventEmitter {
  subscriptions = 0;
  readonly #values = new Map<string, unknown>();

  subscribe({ key }: { key: string }, listener: (value: unknown) => void): void {
    this.subscriptions += 1;
    this.on(key, listener);
  }

  publish({ key, value }: { key: string; value: unknown }): void {
    this.#values.set(key, value);
    this.emit(key, value);
  }

  async get(key: string): Promise<unknown> {
    return this.#values.get(key);
  }

  async count(): Promise<number> {
    return this.subscriptions;
  }

  async fail(): Promise<never> {
    throw Object.assign(new Error('no such key'), { code: 'ENOKEY' });
  }

  async never(): Promise<void> {
    await new Promise(() => undefined);
  }
}

/** Waits until another Follower has given up waiting for a Leader, after its `maxWaitTime`. */
async function absentFor(follower: ReturnType<ReturnType<typeof pair>['follower']>): Promise<void> {
  await assert.rejects(follower.builder(Registry).create().ready());
}

test('cluster 8.63 two workers and one real subscription; a late subscriber gets the last value', async (t) => {
  const { leader, follower } = pair(t);
  leader().builder(Registry).create();
  const [one, two] = [follower().builder(Registry).create(), follower().builder(Registry).create()];
  const got: unknown[] = [];
  for (const client of [one, two]) {
    client.subscribe({ key: 'a' }, (value) => got.push(value));
    await client.ready();
    await client.get('a');
  }
  assert.equal(await one.count(), 1);
  one.publish({ key: 'a', value: 1 });
  await until('both have it', () => got.length === 2);
  const late: unknown[] = [];
  follower()
    .builder(Registry)
    .create()
    .subscribe({ key: 'a' }, (value) => late.push(value));
  await until('the late one has it', () => late.length === 1);
  assert.deepEqual([...got, ...late], [1, 1, 1]);
});

test('cluster 8.64 isBroadcast: false gives each value to one listener', async (t) => {
  const { leader, follower } = pair(t);
  const options = { isBroadcast: false };
  leader(options).builder(Registry).create();
  const got: unknown[] = [];
  const clients = [follower(options), follower(options)].map((each) => each.builder(Registry).create());
  for (const client of clients) {
    client.subscribe({ key: 'a' }, (value) => got.push(value));
    await client.ready();
    await client.get('a');
  }
  for (let value = 0; value < 10; value += 1) clients[0]?.publish({ key: 'a', value });
  await until('all are there', () => got.length >= 10);
  await clients[0]?.get('a');
  assert.deepEqual(got.toSorted(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('cluster 8.65 invoke resolves with the value, or rejects with message and code', async (t) => {
  const { leader, follower } = pair(t);
  leader().builder(Registry).create();
  const client = follower().builder(Registry).create();
  client.publish({ key: 'a', value: { deep: [1] } });
  await until('it is there', () => client.get('a'));
  assert.deepEqual(await client.get('a'), { deep: [1] });
  await assert.rejects(client.fail(), { message: 'no such key', code: 'ENOKEY' });
});

test('cluster 8.66 an invoke that takes longer than responseTimeout is a ResponseTimeoutError', async (t) => {
  const { leader, follower } = pair(t);
  leader().builder(Registry).create();
  const client = follower({ responseTimeout: 200 }).builder(Registry).create();
  await client.ready();
  const begin = Date.now();
  await assert.rejects(client.never(), { name: 'ResponseTimeoutError' });
  assert.ok(Date.now() - begin >= 190);
});

test('the Agent dies', async (t) => {
  const cluster = await startTestCluster(t, { baseDir: fixture('shared') });
  const before = (await cluster.pids()).agent as number;
  await ask(cluster, '/publish?key=news&value=kept');
  await until('all have it', async () => (await toldToAll(cluster)).every((told) => told.length === 1));

  await t.test('cluster 8.67 a call that is pending settles, and subscriptions come back', async () => {
    const pending = ask(cluster, '/never');
    await until('the call is on its way', async () => (await ask(cluster, '/pid')).value === before);
    process.kill(before, 'SIGKILL');
    assert.ok((await pending).error);
    assert.notEqual((await ask(cluster, '/pid')).value, before);
    await ask(cluster, '/publish?key=news&value=more');
    await until('all have it', async () => (await toldToAll(cluster)).every((told) => told.at(-1) === 'more'));
  });
});

test('cluster 8.68 a Follower recovers from a Leader that was absent for longer than maxWaitTime', async (t) => {
  const { leader, follower } = pair(t);
  const first = leader();
  first.builder(Registry).create();
  const client = follower({ maxWaitTime: 1000 }).builder(Registry).create();
  await client.ready();
  await first.close();
  await assert.rejects(client.get('a'));
  await absentFor(follower({ maxWaitTime: 1200 }));
  leader().builder(Registry).create();
  await until('it answers again', () =>
    client.count().then(
      () => true,
      () => false,
    ),
  );
});

test('cluster 8.69 a class that is used twice in the Leader is one real client', async (t) => {
  const { leader } = pair(t);
  const clients = leader();
  const [one, two] = [clients.builder(Registry).create(), clients.builder(Registry).create()];
  await Promise.all([one.ready(), two.ready()]);
  one.publish({ key: 'a', value: 7 });
  assert.equal(await two.get('a'), 7);
});

test('cluster 8.70 a Follower that is made before its Leader becomes ready with it', async (t) => {
  const { leader, follower } = pair(t);
  const client = follower().builder(Registry).create();
  let ready = false;
  const becomes = client.ready().then(() => {
    ready = true;
  });
  await absentFor(follower({ maxWaitTime: 100 }));
  assert.equal(ready, false);
  leader().builder(Registry).create();
  await becomes;
});
