import assert from 'node:assert/strict';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { start } from 'koa-clutch';
import { copyFixture, fixture, type RunningCluster, startTestCluster, until } from '../support/apps.js';
import { requestJson } from '../support/http.js';

const baseDir = fixture('shared');

interface Answer<T> {
  pid: number;
  value: T;
  error?: { name: string; code: string; message: string };
}

const ask = <T>({ url }: RunningCluster, where: string): Promise<Answer<T>> => requestJson(`${url}${where}`);

/** What each of two workers has been told. */
async function toldToAll(cluster: RunningCluster): Promise<string[][]> {
  const told = new Map<number, string[]>();
  await until('both workers have answered', async () => {
    const { pid, value } = await ask<string[]>(cluster, '/told');
    return told.set(pid, value).size === 2;
  });
  return [...told.values()];
}

for (const [kind, options, env] of [
  ['a unix socket', {}, {}],
  ['TCP', {}, { EGG_APP_CONFIG: '{"clusterClient":{"tcp":true}}' }],
] as const) {
  test(`workers share the client of the Agent over ${kind}`, async (t) => {
    const cluster = await startTestCluster(t, { baseDir, ...options }, env);
    const { agent } = await cluster.pids();
    assert.equal((await ask(cluster, '/pid')).value, agent);
    await ask(cluster, '/publish?key=news&value=first');
    await until('both have been told', async () => (await toldToAll(cluster)).every((told) => told.length === 1));
    assert.equal((await ask(cluster, '/get?key=news')).value, 'first');
    // A late subscriber: a new worker gets the last value at once.
    await cluster.scale(1);
    await cluster.scale(2);
    await until('the new one knows', async () => (await toldToAll(cluster)).every((told) => told.at(-1) === 'first'));
    await cluster.reload();
    assert.equal((await ask(cluster, '/pid')).value, (await cluster.pids()).agent);
  });
}

test('the socket is for its user only, and gone with its Agent', async (t) => {
  const dir = copyFixture(t, 'shared');
  const rundir = path.join(dir, 'run');
  const cluster = await startTestCluster(t, { baseDir: dir });
  const sockets = (): string[] => readdirSync(rundir).filter((name) => name.startsWith('leader-'));
  const { agent, master } = await cluster.pids();
  assert.deepEqual(sockets(), [`leader-${master}-${agent}.sock`]);
  assert.equal(statSync(path.join(rundir, sockets()[0] as string)).mode & 0o777, 0o600);
  process.kill(agent as number, 'SIGKILL');
  await until('the next Agent has cleaned up', async () => {
    const { agent: next } = await cluster.pids();
    return next !== agent && sockets().length === 1 && sockets()[0]?.includes(String(next));
  });
  await cluster.stop();
  assert.deepEqual(sockets(), []);
  const token = /[0-9a-f]{64}/;
  assert.doesNotMatch(cluster.output(), token);
});

test('an app on a disk that cannot be written shares clients all the same', async (t) => {
  const dir = copyFixture(t, 'shared');
  writeFileSync(path.join(dir, 'run'), 'no directory');
  const rundir = path.join(dir, 'elsewhere');
  const cluster = await startTestCluster(t, { baseDir: dir }, { EGG_APP_CONFIG: JSON.stringify({ rundir }) });
  assert.equal((await ask(cluster, '/pid')).value, (await cluster.pids()).agent);
});

test('W12, W25: when the Agent dies, pending calls fail at once and all is back with the next one', async (t) => {
  const cluster = await startTestCluster(t, { baseDir });
  const { agent } = await cluster.pids();
  await ask(cluster, '/publish?key=news&value=kept');
  await until('both have been told', async () => (await toldToAll(cluster)).every((told) => told.length === 1));
  const pending = ask(cluster, '/never');
  await until('the call is in flight', async () => (await ask(cluster, '/waiting')).value);
  const begin = Date.now();
  process.kill(agent as number, 'SIGKILL');
  const { error } = await pending;
  assert.equal(error?.code, 'ERR_CLUTCH_LEADER_GONE');
  assert.ok(Date.now() - begin < 1000, `${Date.now() - begin} ms`);
  // A call made while there is no Agent waits for the next one.
  const { value } = await ask(cluster, '/pid');
  assert.notEqual(value, agent);
  assert.ok(Date.now() - begin < 3000, `${Date.now() - begin} ms`);
  assert.equal(value, (await cluster.pids()).agent);
  await until('what was published is back', async () => (await ask(cluster, '/get?key=news')).value === 'kept');
  await ask(cluster, '/publish?key=news&value=more');
  await until('subscriptions are back', async () => (await toldToAll(cluster)).every((told) => told.at(-1) === 'more'));
});

test('one million messages cross from the Agent to a worker in order, with flat memory', {
  timeout: 120_000,
}, async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 1 });
  const { value } = await ask<{ received: number; disorder: number; growth: { agent: number; app: number } }>(
    cluster,
    '/soak?total=1000000',
  );
  assert.equal(value.received, 1_000_000);
  assert.equal(value.disorder, 0);
  for (const [side, bytes] of Object.entries(value.growth)) {
    assert.ok(
      bytes < 60 * 1024 * 1024,
      `${side} grew by ${Math.round(bytes / 1024 / 1024)} MiB after the first quarter`,
    );
  }
});

test('threads share a client like processes', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 1, startMode: 'worker_threads' });
  assert.equal((await ask(cluster, '/pid')).value, cluster.child.pid);
  await ask(cluster, '/publish?key=news&value=first');
  await until('it is told', async () => (await ask<string[]>(cluster, '/told')).value.length === 1);
});

test('in one process Agent and app use one real client', async (t) => {
  const app = await start({ baseDir, env: 'unittest' });
  t.after(() => app.close());
  const { registry } = app as unknown as {
    registry: { get(key: string): Promise<unknown>; publish(value: object): void };
  };
  registry.publish({ key: 'news', value: 'local' });
  assert.equal(await registry.get('news'), 'local');
});
