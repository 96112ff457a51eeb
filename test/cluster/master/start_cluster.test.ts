import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { startCluster } from 'koa-clutch';
import { fixture, isAlive, launch, printed, startTestCluster, temporaryDirectory, until } from '../../support/apps.js';
import { request, requestJson, startLoad } from '../../support/http.js';
import { importGraph } from '../../support/import_graph.js';
import { writeApp } from '../../support/loaded_app.js';

const baseDir = fixture('egg-app');

test('an app with the conventions of Egg is served by every worker', async (t) => {
  const cluster = await startTestCluster(t, { baseDir });
  const { agent, workers } = await cluster.pids();
  assert.equal(workers.length, 2);
  const seen = new Set<number>();
  for (let index = 0; index < 4; index += 1) {
    const body = await requestJson<{ greeting: string; pid: number; started: string[] }>(`${cluster.url}/`);
    assert.equal(body.greeting, 'hello from plugin');
    seen.add(body.pid);
  }
  assert.deepEqual([...seen].sort(), [...workers].sort());
  assert.deepEqual(await requestJson(`${cluster.url}/users/7`), { id: '7', name: 'user 7', env: 'prod' });
  assert.deepEqual(await requestJson(`${cluster.url}/agent`), { agent });
  assert.equal((await request(`${cluster.url}/-/ready`)).status, 200);
});

test('the parent gets egg-ready once with port and address', async (t) => {
  const cluster = await startTestCluster(t, { baseDir });
  const ready = cluster.messages.filter(({ action }) => action === 'egg-ready');
  assert.equal(ready.length, 1);
  const { port, address, protocol } = ready[0]!.data as { port: number; address: string; protocol: string };
  assert.equal(address, `http://127.0.0.1:${port}`);
  assert.equal(protocol, 'http');
});

/** @returns variables with which the Master is loaded seconds after it has forked its processes */
function slowMaster(dir: string): NodeJS.ProcessEnv {
  const hooks = `export const resolve = async (name, context, next) => {
    if (/cluster-master-master/.test(name)) await new Promise((resolve) => setTimeout(resolve, 4000));
    return next(name, context);
  };`;
  const file = path.join(dir, 'slow.mjs');
  const url = `data:text/javascript,${encodeURIComponent(hooks)}`;
  writeFileSync(file, `import { register } from 'node:module'; register(${JSON.stringify(url)});`);
  return { NODE_OPTIONS: `--import ${file}` };
}

test('a Master that is loaded later than its processes misses nothing of them', async (t) => {
  const agent = `process.send({ action: 'early', to: 'parent', data: 1 }); module.exports = () => {};`;
  const dir = writeApp(t, { 'agent.js': agent });
  const cluster = await startTestCluster(t, { baseDir: dir, workers: 1 }, slowMaster(dir));
  assert.ok(cluster.messages.some(({ action }) => action === 'early'));
  assert.equal((await request(`${cluster.url}/-/ready`)).status, 200);
});

test('an Agent that fails before the Master is loaded is not started again, and its error is printed once', async (t) => {
  const agent = `module.exports = class { async didLoad() { throw new Error('it cannot be'); } };`;
  const dir = writeApp(t, { 'agent.js': agent });
  const { exited, output } = launch(t, { baseDir: dir, workers: 1 }, slowMaster(dir));
  assert.equal(await exited, 1);
  assert.equal(output().match(/it cannot be(?!')/g)?.length, 1, output());
});

test('lifecycle hooks run in order in a worker', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 1 });
  const hooks = ['configWillLoad', 'configDidLoad', 'didLoad', 'willReady', 'didReady', 'serverDidReady'];
  await until('serverDidReady has run', async () => {
    const { started } = await requestJson<{ started: string[] }>(cluster.url);
    return started.length === hooks.length && assert.deepEqual(started, hooks) === undefined;
  });
});

for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
  test(`${signal} to the Master answers what is in flight and leaves no process`, async (t) => {
    const cluster = await startTestCluster(t, { baseDir });
    const { master, agent, workers } = await cluster.pids();
    const slow = request(`${cluster.url}/slow?ms=600`);
    await until('the request is in flight', () => isInFlight(cluster.url));
    assert.equal(await cluster.stop(signal), 0);
    const answer = await slow;
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.connection, 'close');
    for (const pid of [master, agent as number, ...workers]) assert.equal(isAlive(pid), false, `pid ${pid} is left`);
  });
}

/** The connection of the request before this one has been accepted once another one is answered. */
async function isInFlight(url: string): Promise<boolean> {
  return (await request(`${url}/-/ready`)).status === 200;
}

test('a worker killed with SIGKILL is replaced and the others go on serving', async (t) => {
  const cluster = await startTestCluster(t, { baseDir });
  const before = await cluster.pids();
  const load = startLoad(t, cluster.url);
  await until('the load runs', () => load.counts.ok > 50);
  process.kill(before.workers[0] as number, 'SIGKILL');
  const after = await until('there are two workers again', async () => {
    const { workers } = await cluster.pids();
    return workers.length === 2 && !workers.includes(before.workers[0] as number) ? workers : undefined;
  });
  assert.ok(after.includes(before.workers[1] as number));
  const { failed, ok } = await load.stop();
  assert.ok(ok > 50);
  // Only the connections that the killed worker held may break, at most one for each of the four loops.
  assert.ok(failed.length <= 4, `failed: ${failed.join(', ')}`);
  assert.ok(failed.every((code) => code === 'ECONNRESET'));
  assert.ok(cluster.messages.some(({ action }) => action === 'app-worker-died'));
});

test('an Agent that dies is replaced, and workers reach the new one', async (t) => {
  const cluster = await startTestCluster(t, { baseDir });
  const before = await cluster.pids();
  process.kill(before.agent as number, 'SIGKILL');
  const agent = await until('there is a new Agent', async () => {
    const pids = await cluster.pids();
    return pids.agent !== before.agent && pids.agent;
  });
  assert.deepEqual(await requestJson(`${cluster.url}/agent`), { agent });
  assert.deepEqual((await cluster.pids()).workers.sort(), before.workers.sort());
});

test('a worker that throws answers what is in flight and is replaced meanwhile', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 1 });
  const before = await cluster.pids();
  const crashed = await requestJson<{ pid: number }>(`${cluster.url}/crash`);
  assert.equal(crashed.pid, before.workers[0]);
  await until('there is a new worker', async () => {
    const { workers } = await cluster.pids();
    return workers.length === 1 && workers[0] !== before.workers[0];
  });
  await until('the old worker is gone', () => !isAlive(before.workers[0] as number));
  assert.equal((await request(cluster.url)).status, 200);
  await printed(cluster, /uncaught boom/);
});

test('W18: while the only worker is replaced, connections wait and none is refused', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 1 });
  const load = startLoad(t, cluster.url);
  for (let round = 0; round < 3; round += 1) {
    const seen = load.counts.ok;
    const [victim] = (await cluster.pids()).workers;
    process.kill(victim as number, 'SIGKILL');
    await until('another worker answers', async () => {
      const { workers } = await cluster.pids();
      return workers.length === 1 && workers[0] !== victim && load.counts.ok > seen + 20;
    });
  }
  const { failed } = await load.stop();
  // What the killed worker held is lost with it; nobody is refused.
  assert.ok(
    failed.every((code) => code === 'ECONNRESET'),
    failed.join(', '),
  );
  assert.ok(failed.length <= 12, `${failed.length} failed`);
});

test('all children end by themselves when the Master is killed with SIGKILL', async (t) => {
  const cluster = await startTestCluster(t, { baseDir });
  const { agent, workers } = await cluster.pids();
  await cluster.stop('SIGKILL');
  await until('no child is left', () => [agent as number, ...workers].every((pid) => !isAlive(pid)), 5000);
});

test('a rolling reload under load fails no request', async (t) => {
  const cluster = await startTestCluster(t, { baseDir });
  const before = await cluster.pids();
  const load = startLoad(t, cluster.url, { agent: new http.Agent({ keepAlive: true }) });
  await until('the load runs', () => load.counts.ok > 50);
  await cluster.reload();
  const after = await cluster.pids();
  await until('the old workers are gone', () => before.workers.every((pid) => !isAlive(pid)));
  const { ok, failed } = await load.stop();
  assert.deepEqual(failed, []);
  assert.ok(ok > 50);
  assert.equal(after.workers.length, 2);
  for (const pid of [before.agent, ...before.workers]) assert.ok(![after.agent, ...after.workers].includes(pid));
});

for (const role of ['app', 'agent'] as const) {
  test(`a boot error in ${role}.js ends the Master with code 1, prints it and leaves no process`, async (t) => {
    const dir = temporaryDirectory(t);
    writeFileSync(path.join(dir, 'package.json'), '{ "name": "broken" }');
    writeFileSync(path.join(dir, `${role}.js`), `module.exports = () => { throw new Error('no database'); };`);
    const { exited, output } = launch(t, { baseDir: dir });
    assert.equal(await exited, 1);
    assert.match(output(), /no database/);
    assert.match(output(), new RegExp(`${role}\\.js`));
  });
}

test('a used port ends the boot with an error that says so', async (t) => {
  const holder = net.createServer().listen(0);
  t.after(() => holder.close());
  const { port } = holder.address() as net.AddressInfo;
  const { exited, output } = launch(t, { baseDir, port });
  assert.equal(await exited, 1);
  assert.match(output(), new RegExp(`port ${port} is already used by \\S+, pid ${process.pid} \\(EADDRINUSE\\)`));
});

test('a hook that does not end fails the boot after workerStartTimeout and is named', async (t) => {
  for (const role of ['app', 'agent']) {
    const dir = temporaryDirectory(t);
    writeFileSync(path.join(dir, 'package.json'), '{ "name": "hangs" }');
    writeFileSync(
      path.join(dir, `${role}.js`),
      'module.exports = class { didLoad() { return new Promise(() => {}); } };',
    );
    const { exited, output } = launch(t, { baseDir: dir }, { EGG_APP_CONFIG: '{"workerStartTimeout":500}' });
    assert.equal(await exited, 1);
    assert.match(output(), new RegExp(`didLoad at .*${role}\\.js:1:\\d+`));
    assert.match(output(), /start timeout/);
  }
});

test('startCluster rejects bad options before anything is forked', async () => {
  await assert.rejects(
    startCluster({ baseDir: '/nowhere' }),
    /ERR_CLUTCH_NOT_FOUND: \/nowhere\/package.json should exist/,
  );
  await assert.rejects(startCluster({ baseDir, workers: 'many' }), /ERR_CLUTCH_OPTION: option workers is "many"/);
  await assert.rejects(startCluster({ baseDir, port: 70_000 }), /ERR_CLUTCH_OPTION: option port/);
  await assert.rejects(
    startCluster({ baseDir, framework: '/nowhere' }),
    /ERR_CLUTCH_FRAMEWORK: \/nowhere should exist/,
  );
  await assert.rejects(startCluster({ baseDir, framework: 'no-such' }), /no-such is not found in .*node_modules/);
  await assert.rejects(startCluster({ baseDir, https: { key: '/no.key', cert: '/no.cert' } }), /https.key/);
});

test('the Master loads neither Koa nor the loader, the framework or the app', () => {
  const { sources, packages } = importGraph('cluster/master/master.ts');
  assert.ok(sources.includes('cluster/supervise/rolling_restart.ts'));
  assert.deepEqual(
    sources.filter((file) => !/^(?:cluster\/|ipc\/|resolve\/|output\/|tracing\/|errors\.ts)/.test(file)),
    [],
  );
  assert.deepEqual(packages, []);
});
