import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  fixture,
  isAlive,
  launch,
  printed,
  type RunningCluster,
  startTestCluster,
  temporaryDirectory,
  until,
} from '../support/apps.js';
import { freePort, request } from '../support/http.js';
import { type Files, writeApp } from '../support/loaded_app.js';
import { runScript } from '../support/script.js';

const baseDir = fixture('faulty');
const configured = (listen: object) => ({ EGG_APP_CONFIG: JSON.stringify({ cluster: { listen } }) });

/** What the parent got with `egg-ready`. */
function readyOf({ messages }: RunningCluster): { port: number; address: string; protocol: string } {
  return messages.find(({ action }) => action === 'egg-ready')?.data as ReturnType<typeof readyOf>;
}

/** Boots an app that must fail. @returns what was printed, once the Master has ended with 1 and no child is left */
async function failingBoot(t: TestContext, files: Files, options: object = {}): Promise<string> {
  const note = "require('node:fs').appendFileSync(__dirname + '/pids', process.pid + ' ');";
  const noted = Object.entries(files).map(([name, text]) => [name, name.endsWith('.js') ? note + text : text]);
  const dir = writeApp(t, Object.fromEntries(noted));
  const { exited, output } = launch(t, { baseDir: dir, ...options });
  assert.equal(await exited, 1, output());
  const pids = readFileSync(path.join(dir, 'pids'), 'utf8').trim().split(' ').map(Number);
  await until('no process is left', () => pids.every((pid) => !isAlive(pid)));
  return output();
}

test('cluster 8.7 three workers become ready, and the parent gets one egg-ready', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 3 });
  assert.equal((await cluster.pids()).workers.length, 3);
  await printed(cluster, /started on/);
  assert.equal(cluster.messages.filter(({ action }) => action === 'egg-ready').length, 1);
  const { port, address, protocol } = readyOf(cluster);
  assert.equal(address, `http://127.0.0.1:${port}`);
  assert.equal(protocol, 'http');
});

test('cluster 8.8 without the option the port of config is served', async (t) => {
  const port = await freePort();
  const cluster = await startTestCluster(t, { baseDir, workers: 1, port: undefined }, configured({ port }));
  assert.equal((await request(`http://127.0.0.1:${port}`)).status, 200);
  assert.equal(readyOf(cluster).port, port);
});

test('cluster 8.9 the option port wins over that of config', async (t) => {
  const [port, other] = [await freePort(), await freePort()];
  const cluster = await startTestCluster(t, { baseDir, workers: 1, port }, configured({ port: other }));
  assert.equal(new URL(cluster.url).port, String(port));
  await assert.rejects(request(`http://127.0.0.1:${other}`), { code: 'ECONNREFUSED' });
});

test('cluster 8.10 listen.path is a unix socket, and the address', async (t) => {
  const socketPath = path.join(temporaryDirectory(t), 'app.sock');
  const cluster = await startTestCluster(t, { baseDir, workers: 1 }, configured({ path: socketPath }));
  assert.equal(cluster.url, socketPath);
  const status = await new Promise((resolve, reject) => {
    http.get({ socketPath, agent: false }, (res) => resolve(res.resume().statusCode)).on('error', reject);
  });
  assert.equal(status, 200);
});

test('cluster 8.11 listen.hostname restricts the interface', async (t) => {
  const lan = Object.values(os.networkInterfaces())
    .flat()
    .find((each) => each?.family === 'IPv4' && !each.internal)?.address;
  const hostname = lan ?? '127.0.0.2';
  const cluster = await startTestCluster(t, { baseDir, workers: 1 }, configured({ hostname }));
  const { port } = new URL(cluster.url);
  assert.equal((await request(`http://${hostname}:${port}`)).status, 200);
  await assert.rejects(request(`http://127.0.0.1:${port}`), { code: 'ECONNREFUSED' });
});

test('cluster 8.13 a second server of the app does not make the cluster ready', async (t) => {
  const port = await freePort();
  const cluster = await startTestCluster(t, {
    workers: 1,
    baseDir: writeApp(t, {
      'app.js': `module.exports = class {
        async didLoad() { await new Promise((done) => require('node:http').createServer().listen(${port}, done)); }
        async willReady() { await new Promise((done) => setTimeout(done, 300)); console.log('app is ready'); }
      };`,
    }),
  });
  assert.match(cluster.output(), /app is ready/);
  assert.notEqual(new URL(cluster.url).port, String(port));
});

test('cluster 8.15 a port that is used ends every process with EADDRINUSE', async (t) => {
  const other = net.createServer().listen(0);
  t.after(() => other.close());
  const { port } = other.address() as net.AddressInfo;
  const output = await failingBoot(t, { 'agent.js': '', 'app.js': '' }, { port });
  assert.match(output, /EADDRINUSE/);
});

test('cluster 8.16 app code runs after the Agent is ready', async (t) => {
  const { output } = await startTestCluster(t, {
    workers: 1,
    baseDir: writeApp(t, {
      'agent.js': `module.exports = class { async didLoad() { await new Promise((done) => setTimeout(done, 300));
        console.log('agent is ready'); } };`,
      'app.js': "console.log('app code runs');",
    }),
  });
  assert.match(output(), /agent is ready[\s\S]*app code runs/);
});

test('cluster 8.17 agent.js that throws ends the boot before app.js is loaded', async (t) => {
  const output = await failingBoot(t, {
    'agent.js': "throw new Error('agent is broken');",
    'app.js': "console.log('app code runs');",
  });
  assert.match(output, /agent is broken/);
  assert.doesNotMatch(output, /app code runs/);
});

test('cluster 8.18 an Agent that exits while workers boot ends the boot', async (t) => {
  await failingBoot(t, {
    'agent.js': "module.exports = (agent) => agent.messenger.on('exit', () => process.exit(3));",
    'app.js': `module.exports = class { constructor(app) { this.app = app; }
      async didLoad() { this.app.messenger.sendToAgent('exit'); await new Promise(() => setInterval(() => {}, 1000)); } };`,
  });
});

test('cluster 8.19 one worker of four that throws ends all of them', async (t) => {
  const output = await failingBoot(
    t,
    { 'agent.js': '', 'app.js': "if (process.env.CFORK_WORKER_INDEX === '2') throw new Error('the third is broken');" },
    { workers: 4 },
  );
  assert.match(output, /the third is broken/);
});

const SLOW = 'module.exports = (app) => app.beforeStart(() => new Promise(() => setInterval(() => {}, 1000)), "slow");';
const LIMIT = { 'config/config.default.js': 'exports.workerStartTimeout = 1000;' };

test('cluster 8.20 a worker that is not ready within workerStartTimeout ends the boot', async (t) => {
  const output = await failingBoot(t, { 'agent.js': '', 'app.js': SLOW, ...LIMIT }, { workers: 1 });
  assert.match(output, /1000 ms/);
});

test('cluster 8.21 so does an Agent', async (t) => {
  const output = await failingBoot(t, { 'agent.js': SLOW, ...LIMIT }, { workers: 1 });
  assert.match(output, /1000 ms/);
});

test('cluster 8.1.callback startCluster calls back without arguments when all processes are ready', async (t) => {
  const script = `
    import { startCluster } from 'koa-clutch';
    const options = { baseDir: process.cwd(), workers: 1, port: 0 };
    const calls = [];
    const cluster = await startCluster(options, (...args) => calls.push(args));
    console.log('calls ' + JSON.stringify(calls));
    await cluster.close();`;
  const { output } = await runScript(t, writeApp(t, { 'config/config.default.js': 'exports.keys = "k";' }), script);
  assert.match(output, /^calls \[\[\]\]$/m);
});
