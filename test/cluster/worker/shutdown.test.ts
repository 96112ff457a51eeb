import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { test } from 'node:test';
import { askMaster, controlPath } from 'koa-clutch/cluster';
import { fixture, isAlive, launch, printed, startTestCluster, temporaryDirectory, until } from '../../support/apps.js';
import { assertGone, childPids, closings } from '../../support/children.js';
import { request, requestJson } from '../../support/http.js';
import { writeApp } from '../../support/loaded_app.js';

const baseDir = fixture('faulty');

test('W5: SIGTERM with 100 requests in flight answers all of them, and takes no new ones', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, hangTimeout: 2000 });
  const pids = await childPids(cluster);
  const agent = new http.Agent({ keepAlive: true });
  const slow = Array.from({ length: 100 }, () => request(`${cluster.url}/slow?ms=2000`, { agent }));
  await until('100 requests are in flight', async () => {
    const { processes } = await cluster.status();
    return processes.reduce((sum, { inFlight = 0 }) => sum + inFlight, 0) === 100;
  });
  const exit = cluster.stop();
  await until('new connections are refused', () =>
    request(cluster.url).then(
      () => false,
      () => true,
    ),
  );
  const answers = await Promise.all(slow);
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.deepEqual(new Set(answers.map(({ headers }) => headers.connection)), new Set(['close']));
  assert.equal(await exit, 0);
  assertGone(pids);
});

test('app workers close first, then the Agent, and both run their hooks', async (t) => {
  const cluster = await startTestCluster(t, { baseDir }, { CLOSE_DELAY: '200' });
  const pids = await childPids(cluster);
  assert.equal(await cluster.stop(), 0);
  assertGone(pids);
  const apps = closings(cluster.output(), 'app');
  const [agent] = closings(cluster.output(), 'agent') as [number];
  assert.equal(apps.length, 2);
  // The Agent was asked after the last worker had ended, and then waited for 200 ms.
  assert.ok(agent - Math.max(...apps) >= 190, `${apps}, ${agent}`);
});

test('W4: a process that does not end is killed after its time, and nobody is left', async (t) => {
  const cluster = await startTestCluster(
    t,
    { baseDir, workers: 1 },
    { CLOSE_DELAY: '60000', EGG_APP_CLOSE_TIMEOUT: '400', EGG_AGENT_CLOSE_TIMEOUT: '300' },
  );
  const pids = await childPids(cluster);
  const begin = Date.now();
  assert.equal(await cluster.stop(), 0);
  // Far less than the minute that its hooks want.
  assert.ok(Date.now() - begin < 20_000);
  assertGone(pids);
  assert.deepEqual(closings(cluster.output(), 'app'), []);
});

test('W4: a worker and an Agent with blocked event loops are killed at shutdown', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 1, killTimeout: 400 });
  const pids = await childPids(cluster);
  await request(`${cluster.url}/tell?what=agent:block`);
  await request(`${cluster.url}/block`);
  assert.equal(await cluster.stop(), 0);
  assertGone(pids);
});

test('a second signal kills what has not closed', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 1, killTimeout: 60_000 }, { CLOSE_DELAY: '60000' });
  const pids = await childPids(cluster);
  const exit = cluster.stop();
  // npm and a terminal each pass a signal on: the same one again, at once, is no second one.
  cluster.child.kill('SIGTERM');
  await until('it is closing', () => cluster.output().includes('received SIGTERM, closing'));
  const again = setInterval(() => cluster.child.kill('SIGINT'), 100);
  t.after(() => clearInterval(again));
  assert.equal(await exit, 1);
  assertGone(pids);
  await printed(cluster, /received SIGINT while closing: killing all processes/);
});

test('processes that a worker has started end with it', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 1 });
  const { pid } = await requestJson<{ pid: number }>(`${cluster.url}/spawn`);
  assert.ok(isAlive(pid));
  assert.equal(await cluster.stop(), 0);
  await until('its processes are gone', () => !isAlive(pid));
});

test('W9: when the Master is killed its children run their hooks and are gone within 2 s', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, hangTimeout: 2400 });
  const pids = await childPids(cluster);
  // Longer than the 600 ms between two heartbeats, one of which must see it.
  const idle = request(`${cluster.url}/slow?ms=800`);
  await until('the request is in flight', async () =>
    (await cluster.status()).processes.some(({ inFlight }) => inFlight === 1),
  );
  const begin = Date.now();
  await cluster.stop('SIGKILL');
  await until('no child is left', () => pids.every((pid) => !isAlive(pid)), 4000);
  assert.ok(Date.now() - begin < 2500, `${Date.now() - begin} ms`);
  assert.equal((await idle).status, 200);
  await until(
    'hooks have run',
    () => closings(cluster.output(), 'app').length === 2 && closings(cluster.output(), 'agent').length === 1,
  );
});

test('W9: a child that is blocked when the Master is killed is gone, too', async (t) => {
  const cluster = await startTestCluster(t, { baseDir });
  const pids = await childPids(cluster);
  await request(`${cluster.url}/block`);
  await request(`${cluster.url}/tell?what=agent:block`).catch(() => undefined);
  const begin = Date.now();
  await cluster.stop('SIGKILL');
  await until('no child is left', () => pids.every((pid) => !isAlive(pid)), 5000);
  assert.ok(Date.now() - begin < 3000, `${Date.now() - begin} ms`);
});

test('W9: with nobody to read its output the Master goes on supervising, and ends when told', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 1 });
  const [victim] = (await cluster.pids()).workers as [number];
  cluster.child.stdout?.destroy();
  cluster.child.stderr?.destroy();
  process.kill(victim, 'SIGKILL');
  await until('there is another worker', async () => {
    const { workers } = await cluster.pids();
    return workers.length === 1 && workers[0] !== victim;
  });
  const usage = (): number => Number(readFileSync(`/proc/${cluster.child.pid}/stat`, 'utf8').split(' ')[13]);
  const before = usage();
  await until('two heartbeats', async () =>
    (await cluster.status()).processes.some(
      ({ kind, uptime, cpu }) => kind === 'app worker' && uptime > 2 && cpu !== undefined,
    ),
  );
  assert.ok(usage() - before < 50, 'the Master spins');
  assert.equal(await cluster.stop(), 0);
});

test('stale pid and socket files of a killed Master are no obstacle for the next one', async (t) => {
  const app = temporaryDirectory(t);
  writeFileSync(path.join(app, 'package.json'), '{ "name": "stale" }');
  const pidFile = path.join(app, 'run/clutch.pid');
  const first = await startTestCluster(t, { baseDir: app, workers: 1, pidFile });
  assert.equal(readFileSync(pidFile, 'utf8'), String(first.child.pid));
  await until('the control socket is there', () => existsSync(controlPath(app)));
  await first.stop('SIGKILL');
  assert.ok(existsSync(pidFile) && existsSync(controlPath(app)));
  await assert.rejects(askMaster(app, { command: 'status' }), /ERR_CLUTCH_NOT_RUNNING/);
  const second = await startTestCluster(t, { baseDir: app, workers: 1, pidFile });
  const status = await until('it answers', () => askMaster(app, { command: 'status' }).catch(() => undefined));
  assert.equal((status as { processes: { pid: number }[] }).processes[0]?.pid, second.child.pid);
  assert.equal(await second.stop(), 0);
  assert.equal(existsSync(pidFile) || existsSync(controlPath(app)), false);
});

test('a pid file that cannot be written is told before anything is forked', async (t) => {
  const { exited, output } = launch(t, { baseDir, pidFile: '/dev/null/no/clutch.pid' });
  assert.equal(await exited, 1);
  assert.match(output(), /ERR_CLUTCH_OPTION: the pid file cannot be written/);
});

test('where run/ and logs/ cannot be written the service comes up, and says what it lacks', async (t) => {
  const app = temporaryDirectory(t);
  writeFileSync(path.join(app, 'package.json'), '{ "name": "unwritable" }');
  mkdirSync(path.join(app, 'app'));
  writeFileSync(
    path.join(app, 'app/router.js'),
    `module.exports = (app) => app.router.get('/', (ctx) => { ctx.logger.error('told'); ctx.body = 'served'; });`,
  );
  writeFileSync(path.join(app, 'run'), 'a file in place of the directory');
  writeFileSync(path.join(app, 'logs'), 'a file in place of the directory');
  const cluster = await startTestCluster(t, { baseDir: app, env: 'local', workers: 1 });
  assert.equal((await request(cluster.url)).body, 'served');
  await until('the Master tells', () => /no control socket/.test(cluster.output()));
  await printed(cluster, /cannot write to config.rundir/);
  await printed(cluster, /logs/);
  assert.equal(await cluster.stop(), 0);
});

test('a full disk under the logs costs log lines only', async (t) => {
  const app = temporaryDirectory(t);
  writeFileSync(path.join(app, 'package.json'), '{ "name": "full" }');
  mkdirSync(path.join(app, 'app'));
  mkdirSync(path.join(app, 'logs/full'), { recursive: true });
  for (const name of ['full-web.log', 'egg-web.log', 'common-error.log', 'egg-agent.log']) {
    symlinkSync('/dev/full', path.join(app, 'logs/full', name));
  }
  writeFileSync(
    path.join(app, 'app/router.js'),
    `module.exports = (app) => app.router.get('/', (ctx) => { ctx.logger.error('told'); ctx.body = { pid: process.pid }; });`,
  );
  const cluster = await startTestCluster(t, { baseDir: app, env: 'local', workers: 1 });
  const { pid } = await requestJson<{ pid: number }>(cluster.url);
  for (let index = 0; index < 20; index += 1) assert.equal((await requestJson<{ pid: number }>(cluster.url)).pid, pid);
  await until('the error is told', () => /ENOSPC/.test(cluster.output()));
  assert.equal(await cluster.stop(), 0);
});

/** An app whose workers need the Agent in their close hook, which waits for a file. */
const NEEDS_AGENT = {
  'agent.js': `module.exports = (agent) => {
    agent.messenger.onRequest('who', () => process.pid);
    agent.beforeClose(() => console.log('agent closed'));
  };`,
  'app.js': `const { existsSync } = require('node:fs');
    const path = require('node:path');
    module.exports = (app) => app.beforeClose(async () => {
      console.log('app closes');
      while (!existsSync(path.join(app.baseDir, 'go'))) await new Promise((done) => setTimeout(done, 20));
      console.log('the agent is %d', await app.messenger.request('agent', 'who', null, { timeout: 1000 }));
    });`,
};

test('SIGTERM to all processes, the Agent first: the Agent serves until the last worker has closed', async (t) => {
  const app = writeApp(t, NEEDS_AGENT);
  const cluster = await startTestCluster(t, { baseDir: app, workers: 2 });
  const { agent, workers } = await cluster.pids();
  for (const pid of [agent as number, ...workers]) process.kill(pid, 'SIGTERM');
  const exit = cluster.stop();
  await until('both workers close', () => cluster.output().split('app closes').length === 3);
  assert.ok(isAlive(agent as number));
  writeFileSync(path.join(app, 'go'), '');
  assert.equal(await exit, 0);
  assertGone([agent as number, ...workers]);
  const output = cluster.output();
  assert.equal(output.split(`the agent is ${agent}`).length, 3, output);
  assert.ok(output.lastIndexOf('the agent is') < output.indexOf('agent closed'));
  assert.doesNotMatch(output, /is replaced|SIGKILL/);
});

test('an Agent and a worker that alone get SIGTERM are replaced', async (t) => {
  const app = writeApp(t, { 'agent.js': '', 'app.js': '' });
  const cluster = await startTestCluster(t, { baseDir: app, workers: 1 });
  const { agent, workers } = await cluster.pids();
  for (const pid of [agent as number, ...workers]) process.kill(pid, 'SIGTERM');
  const after = await until('both are replaced', async () => {
    const pids = await cluster.pids();
    return pids.agent && pids.agent !== agent && pids.workers.length === 1 && pids.workers[0] !== workers[0] && pids;
  });
  await until('the old ones are gone', () => !isAlive(agent as number) && !isAlive(workers[0] as number));
  assert.deepEqual(await cluster.pids(), after);
});

test('a worker that threw and whose close hook throws: all hooks run, both errors are in the log, the code is 1', async (t) => {
  const app = writeApp(t, {
    'config/config.default.js': "exports.logger = { dir: __dirname + '/../logs' };",
    'app.js': `module.exports = class {
      constructor(app) {
        app.beforeClose(() => app.logger.warn('the last line'));
        app.beforeClose(() => { throw new Error('hook failed'); });
        app.beforeClose(async () => { throw new Error('another hook failed'); });
        app.use((ctx) => { ctx.body = 'served'; setImmediate(() => { throw new Error('thrown outside'); }); });
        process.on('exit', (code) => console.log('exit code %d', code));
      }
    };`,
  });
  const cluster = await startTestCluster(t, { baseDir: app, workers: 1 });
  assert.equal((await request(cluster.url)).body, 'served');
  await printed(cluster, /exit code 1/);
  const log = readFileSync(path.join(app, 'logs/common-error.log'), 'utf8');
  for (const text of [/thrown outside\n +at /, /: hook failed\n +at /, /another hook failed\n +at /])
    assert.match(log, text);
  assert.match(readFileSync(path.join(app, 'logs/demo-web.log'), 'utf8'), /the last line/);
});
