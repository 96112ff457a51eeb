import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { startCluster } from 'koa-clutch';
import { fixture, launch, printed, startTestCluster, temporaryDirectory } from '../support/apps.js';
import { writeApp } from '../support/loaded_app.js';

const baseDir = fixture('faulty');
const configured = (listen: object) => ({ EGG_APP_CONFIG: JSON.stringify({ cluster: { listen } }) });

test('cluster 8.1 an app without package.json is refused', async (t) => {
  const dir = temporaryDirectory(t);
  await assert.rejects(startCluster({ baseDir: dir }), new RegExp(`${dir}/package\\.json should exist`));
});

test('cluster 8.2 an absolute framework path that does not exist is refused', async () => {
  await assert.rejects(startCluster({ baseDir, framework: '/no/framework' }), /\/no\/framework should exist/);
});

test('cluster 8.3 a framework that is not installed is an error with the directories that were searched', async () => {
  await assert.rejects(
    startCluster({ baseDir, framework: 'no-framework' }),
    (error: Error) =>
      error.message.includes('no-framework is not found in') &&
      error.message.includes(path.join(baseDir, 'node_modules')) &&
      error.message.includes(path.join(process.cwd(), 'node_modules')),
  );
});

test('cluster 8.4 egg.framework of package.json names the framework, and the Master prints it', async (t) => {
  const cluster = await startTestCluster(t, {
    workers: 1,
    baseDir: writeApp(t, {
      'package.json': '{ "name": "demo", "egg": { "framework": "yadan" } }',
      'node_modules/yadan/package.json': '{ "name": "yadan", "version": "1.2.3", "main": "index.js" }',
      'node_modules/yadan/index.js': "console.log('yadan is loaded'); module.exports = require('egg');",
    }),
  });
  assert.match(cluster.output(), /yadan is loaded/);
  await printed(cluster, /yadan 1\.2\.3 started on/);
});

test('cluster 8.5 a framework without Agent ends the boot with an error that names it', async (t) => {
  const dir = writeApp(t, {
    'node_modules/half/package.json': '{ "name": "half", "main": "index.js" }',
    'node_modules/half/index.js': 'exports.Application = class {};',
  });
  const { exited, output } = launch(t, { baseDir: dir, framework: 'half' });
  assert.equal(await exited, 1);
  assert.match(output(), /the framework does not export Agent/);
});

test('cluster 8.6 an https key that does not exist is refused', async () => {
  const https = { key: '/no/key.pem', cert: path.resolve('test/fixtures/tls/cert.pem') };
  await assert.rejects(startCluster({ baseDir, https }), /https\.key/);
});

test('cluster 8.12 no port at all ends the boot with the type of the port', async (t) => {
  const { exited, output } = launch(t, { baseDir, port: undefined }, configured({ port: null }));
  assert.equal(await exited, 1);
  assert.match(output(), /port should be number, but got null/);
});

test('cluster 8.14 HOST is shown in the URL, 0.0.0.0 is shown as 127.0.0.1', async (t) => {
  for (const [HOST, shown] of [
    ['xxx.com', 'xxx.com'],
    ['0.0.0.0', '127.0.0.1'],
  ] as const) {
    const cluster = await startTestCluster(t, { baseDir, workers: 1 }, { HOST });
    assert.equal(new URL(cluster.url).hostname, shown);
    await cluster.stop();
  }
});

test('cluster 8.50 pidFile holds the pid of the Master and goes with it', async (t) => {
  const pidFile = path.join(temporaryDirectory(t), 'a/b/master.pid');
  const cluster = await startTestCluster(t, { baseDir, workers: 1, pidFile });
  assert.equal(readFileSync(pidFile, 'utf8'), String(cluster.child.pid));
  assert.equal(await cluster.stop(), 0);
  assert.equal(existsSync(pidFile), false);
  const second = await startTestCluster(t, { baseDir, workers: 1, pidFile });
  rmSync(pidFile);
  assert.equal(await second.stop(), 0);
});

test('cluster 8.95 modules of option require run in Agent and workers before the framework', async (t) => {
  const dir = writeApp(t, {
    'inject.js': `const loaded = Object.keys(require.cache).some((file) => file.includes('/dist/framework'));
      console.log('injected into %d, framework loaded: %s', process.pid, loaded);`,
  });
  const cluster = await startTestCluster(t, { baseDir: dir, require: ['./inject'] });
  const { agent, workers } = await cluster.pids();
  for (const pid of [agent, ...workers]) {
    assert.match(cluster.output(), new RegExp(`injected into ${pid}, framework loaded: false`));
  }
});
