import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { askMaster, type ControlRequest, type DeathRecord } from 'koa-clutch/cluster';
import { CLI, isAlive, launch, printed, startTestCluster, until } from '../../support/apps.js';
import { freePort, request, requestJson } from '../../support/http.js';
import { type Files, writeApp } from '../../support/loaded_app.js';
import { runScript } from '../../support/script.js';

const FILES: Files = {
  'config/config.default.js': `exports.keys = 'k';`,
  'agent.js': `module.exports = (agent) => {
    agent.messenger.onRequest('double', (n) => 2 * n);
    agent.messenger.on('ask', (data) => agent.messenger.sendToApp('reply', { data, pid: process.pid }));
    agent.messenger.once('egg-ready', () => { agent.isReady = true; });
  };`,
  'app.js': `const { appendFileSync } = require('node:fs');
    module.exports = class {
      constructor(app) { this.app = app; }
      async serverDidReady() { this.app.server_ = true; }
      async beforeClose() { appendFileSync(__dirname + '/closed', 'x'); }
    };`,
  'app/router.js': `module.exports = (app) => {
    const { router, messenger } = app;
    let waiting = [];
    app.on('server', () => { app.hasServer = true; });
    router.get('/', async (ctx) => {
      const reply = new Promise((resolve) => messenger.once('reply', resolve));
      messenger.sendToAgent('ask', 7);
      ctx.body = { reply: await reply, doubled: await messenger.request('agent', 'double', 21), pid: process.pid,
        ready: app.server_ === true && app.agent.isReady === true && app.hasServer === true };
    });
    router.get('/wait', async (ctx) => {
      await new Promise((resolve) => waiting.push(resolve));
      ctx.body = 'waited';
    });
    router.get('/waiting', (ctx) => { ctx.body = String(waiting.length); });
    router.get('/go', (ctx) => { for (const go of waiting.splice(0)) go(); ctx.body = 'gone'; });
    router.get('/throw', (ctx) => {
      setTimeout(() => { for (const go of waiting.splice(0)) setTimeout(go, 100); throw new Error('boom'); });
      ctx.body = 'thrown';
    });
    process.on('SIGUSR2', () => { for (const go of waiting.splice(0)) go(); });
  };`,
  'app/schedule/tick.js': `const { appendFileSync } = require('node:fs');
    module.exports = { schedule: { interval: 50, type: 'worker' }, async task() { appendFileSync(__dirname + '/../../ticks', '.'); } };`,
};

function deaths(baseDir: string): DeathRecord[] {
  return (JSON.parse(readFileSync(path.join(baseDir, 'run/deaths.json'), 'utf8')) as { deaths: DeathRecord[] }).deaths;
}

const start = (t: TestContext, options: object = {}, files: Files = {}) => {
  const baseDir = writeApp(t, { ...FILES, ...files });
  return startTestCluster(t, { baseDir, workers: 0, ...options }).then((app) => ({ ...app, baseDir }));
};

/** Sends requests that the app holds back until it is told to go on. */
async function holdRequests(url: string, count: number): Promise<Promise<string>[]> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: count });
  const held = Array.from({ length: count }, async () => (await request(`${url}/wait`, { agent })).body);
  await until('all are there', async () => (await request(`${url}/waiting`)).body === String(count));
  return held;
}

test('workers: 0 serves with Agent and app in one process', async (t) => {
  const app = await start(t, { admin: { port: 0 } });
  const pid = app.child.pid as number;
  assert.deepEqual(await requestJson(app.url), { reply: { data: 7, pid }, doubled: 42, pid, ready: true });
  assert.deepEqual(await app.pids(), { master: pid, agent: pid, workers: [pid] });
  assert.equal((await request(`${app.url}/-/ready`)).status, 200);
  const admin = await app.admin();
  for (const probe of ['livez', 'readyz', 'startupz']) assert.equal((await request(`${admin}/${probe}`)).status, 200);
  await until('it counts its requests', async () =>
    /^clutch_worker_requests\{kind="single",pid="\d+",slot="0"\} [1-9]/m.test((await request(`${admin}/metrics`)).body),
  );
  const { state, workers, processes } = await app.status();
  assert.equal(state, 'ready');
  assert.equal(workers, 0);
  assert.deepEqual(
    processes.map((each) => [each.kind, each.pid, each.state]),
    [['single', pid, 'ready']],
  );
  assert.match(app.output(), /started on http:\/\/127\.0\.0\.1:\d+ in one process/);
});

test('workers: 0 runs schedules', async (t) => {
  const { baseDir } = await start(t);
  await until('the schedule runs', () => {
    try {
      return readFileSync(path.join(baseDir, 'ticks'), 'utf8').length > 1;
    } catch {
      return false;
    }
  });
});

test('workers: 0 responds to what is in flight at SIGTERM, and exits with 0', async (t) => {
  const app = await start(t);
  const held = await holdRequests(app.url, 20);
  app.child.kill('SIGTERM');
  await printed(app, /received SIGTERM/);
  await until('it takes no more connections', () =>
    request(app.url).then(
      () => false,
      () => true,
    ),
  );
  app.child.kill('SIGUSR2');
  assert.deepEqual([...new Set(await Promise.all(held))], ['waited']);
  assert.deepEqual(await once(app.child, 'exit'), [0, null]);
  assert.equal(readFileSync(path.join(app.baseDir, 'closed'), 'utf8'), 'x');
  const [death] = deaths(app.baseDir);
  assert.deepEqual(
    [death?.kind, death?.reason, death?.by, death?.asker, death?.code],
    ['single', 'stop', 'request', 'SIGTERM to the process', 0],
  );
});

test('workers: 0 serves on during preStopDelay, and says that it is not ready', async (t) => {
  const app = await start(t, { preStopDelay: 2000, admin: { port: 0 } });
  const admin = await app.admin();
  app.child.kill('SIGTERM');
  await until('it is not ready', async () => (await request(`${app.url}/-/ready`)).status === 503);
  assert.equal((await request(`${admin}/readyz`)).status, 503);
  assert.equal((await requestJson<{ doubled: number }>(app.url)).doubled, 42);
});

test('workers: 0: an exception lets what is in flight end, and the process exits with 1', async (t) => {
  const app = await start(t);
  const held = await holdRequests(app.url, 5);
  assert.equal((await request(`${app.url}/throw`)).body, 'thrown');
  assert.deepEqual([...new Set(await Promise.all(held))], ['waited']);
  assert.deepEqual(await once(app.child, 'exit'), [1, null]);
  const [death] = deaths(app.baseDir);
  assert.deepEqual([death?.reason, death?.by, death?.code], ['exception', 'itself', 1]);
  assert.match(death?.error?.stack ?? '', /boom[\s\S]+router\.js/);
});

test('workers: 0: the record of a process that was killed is made by the next one', async (t) => {
  const app = await start(t);
  const { pid } = app.child;
  const file = path.join(app.baseDir, 'run/deaths.json');
  await until('it is noted', () => existsSync(file));
  await app.stop('SIGKILL');
  await startTestCluster(t, { baseDir: app.baseDir, workers: 0 });
  const record = await until('it is written', () => deaths(app.baseDir)[0]);
  assert.deepEqual([record.kind, record.pid, record.reason], ['single', pid, 'signal']);
});

test('workers: 0: a boot that fails prints its error, and the exit code is 1', async (t) => {
  const taken = http.createServer().listen(0);
  t.after(() => taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  const throwing = { 'app.js': `module.exports = () => { throw new Error('no database'); };` };
  const rejecting = {
    'app.js': `module.exports = class { async willReady() { await null; throw new Error('no database'); } };`,
  };
  const late = {
    'app.js': `setTimeout(() => { throw new Error('no database'); }, 20); module.exports = class { willReady() { return new Promise(() => setInterval(() => 0, 1000)); } };`,
  };
  const cases: [Files, object, RegExp][] = [
    [throwing, {}, /start failed: .*no database/],
    [rejecting, {}, /start failed: .*no database/],
    [late, {}, /start failed: .*no database/],
    [{}, { port }, /start failed: .*already used/],
    [{}, { admin: { port } }, /start failed: the admin listener/],
  ];
  for (const [files, options, text] of cases) {
    const baseDir = writeApp(t, { ...FILES, ...files });
    const { output, exited } = launch(t, { baseDir, workers: 0, ...options });
    assert.equal(await exited, 1, output());
    assert.match(output(), text);
    assert.equal(deaths(baseDir)[0]?.reason, 'boot-error');
  }
});

test('workers: 0: SIGTERM during the boot runs the close hooks and exits with 0', async (t) => {
  const baseDir = writeApp(t, {
    ...FILES,
    'app.js': `const { writeFileSync } = require('node:fs');
      module.exports = class {
        async willReady() { console.log('booting'); await new Promise(() => setInterval(() => 0, 1000)); }
        async beforeClose() { writeFileSync(__dirname + '/closed', 'x'); }
      };`,
  });
  const app = launch(t, { baseDir, workers: 0 });
  await printed(app, /^booting/m);
  app.child.kill('SIGTERM');
  assert.equal(await app.exited, 0, app.output());
  assert.match(app.output(), /still running: .*willReady/);
  assert.equal(readFileSync(path.join(baseDir, 'closed'), 'utf8'), 'x');
});

test('workers: 0: what needs another process is refused with the reason', async (t) => {
  const app = await start(t);
  await assert.rejects(app.reload(), /ERR_CLUTCH_CONTROL: an app that is one process .*cannot be reloaded/);
  await assert.rejects(app.scale(2), /has no workers/);
  for (const command of [
    { command: 'workers', count: 2 },
    { command: 'set', options: [['maxMemory', '3']], dryRun: false },
  ] satisfies ControlRequest[]) {
    await assert.rejects(askMaster(app.baseDir, command), /workers: 0/);
  }
  await assert.rejects(askMaster(app.baseDir, { command: 'upgrade', execPath: process.execPath }), /workers: 0/);
  app.child.kill('SIGHUP');
  await printed(app, /SIGHUP has no effect/);
  assert.equal((await request(app.url)).status, 200);
  for (const option of [
    { sticky: true },
    { scheduling: 'least' },
    { maxMemory: 100 },
    { startMode: 'worker_threads' },
  ]) {
    const { output, exited } = launch(t, { baseDir: app.baseDir, workers: 0, ...option });
    assert.equal(await exited, 1);
    assert.match(output(), new RegExp(`ERR_CLUTCH_OPTION: option ${Object.keys(option)[0]} is .*\\n.*workers: 0`));
  }
});

test('workers: 0: the handle reaches both sides, and the process ends by itself after close()', async (t) => {
  const baseDir = writeApp(t, {
    ...FILES,
    'app.js': `module.exports = (app) => {
      app.messenger.onRequest('side', () => 'app');
      app.messenger.on('hello', () => app.messenger.send('seen', 'by the app', 'master'));
    };`,
  });
  const { code, output } = await runScript(
    t,
    baseDir,
    `import { startCluster } from 'koa-clutch';
    const cluster = await startCluster({ workers: 0, port: 0 });
    const { messenger } = cluster;
    console.log(await messenger.request('agent', 'double', 4), await messenger.request('app', 'side'));
    const seen = new Promise((resolve) => messenger.once('seen', resolve));
    messenger.broadcast('hello');
    console.log('seen', await seen);
    await messenger.request(1, 'side').catch((error) => console.log(error.message));
    await cluster.close();
    console.log('done', cluster.status().state);`,
  );
  assert.equal(code, 0, output);
  assert.match(output, /^8 app$[\s\S]*^seen by the app$[\s\S]*no process has this pid[\s\S]*^done closed$/m);
});

test('clutch start --workers 0 --daemon, status and stop', async (t) => {
  const baseDir = writeApp(t, FILES);
  const port = await freePort();
  const env = { ...process.env, EGG_HOME: baseDir, NODE_TEST_CONTEXT: undefined };
  const clutch = async (...args: string[]): Promise<{ code: number; text: string }> => {
    const child = spawn(process.execPath, [CLI, ...args], { cwd: baseDir, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += String(chunk)));
    const [code] = (await once(child, 'close')) as [number];
    return { code, text };
  };
  const started = await clutch('start', '--workers', '0', '--daemon', '--port', String(port));
  assert.equal(started.code, 0, started.text);
  const pid = Number(readFileSync(path.join(baseDir, 'run/clutch.pid'), 'utf8'));
  t.after(() => {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  });
  assert.match((await clutch('status')).text, /one process[\s\S]+single +\d+ +ready/);
  assert.notEqual((await clutch('start', '--workers', '0')).code, 0);
  assert.match((await clutch('stop')).text, /stopped, pid \d+/);
  assert.match((await clutch('deaths')).text, /single +\d+ .*request +stop/);
  assert.match((await clutch('dev', '--workers', '0')).text, /at least one worker/);
});
