import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { askMaster, type ClusterStatus } from 'koa-clutch/cluster';
import { CLI, isAlive, startTestCluster, until } from '../../support/apps.js';
import { request, requestJson, startLoadProcess } from '../../support/http.js';
import { writeApp } from '../../support/loaded_app.js';

const run = promisify(execFile);

function clutch(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return run(process.execPath, [CLI, ...args], { env: { ...process.env, NODE_TEST_CONTEXT: undefined } }).then(
    (result) => ({ code: 0, ...result }),
    (error) => error,
  );
}

/** After the test the Master that has taken over is ended first: it is no child of the test and holds the pipes of the first one. */
function app(t: TestContext, files: Record<string, string> = {}): string {
  let dir = '';
  t.after(() => clutch('stop', dir));
  dir = writeApp(t, {
    'app/router.js': `const { readFileSync } = require('node:fs');
      const version = readFileSync(__dirname + '/version', 'utf8');
      module.exports = ({ router }) => { router.get('/', (ctx) => { ctx.body = { pid: process.pid, version }; }); };`,
    'app/version': '1',
    ...files,
  });
  return dir;
}

async function masterOf(dir: string): Promise<number> {
  const { processes } = (await askMaster(dir, { command: 'status' })) as ClusterStatus;
  return processes.find(({ kind }) => kind === 'master')?.pid as number;
}

for (const options of [{}, { sticky: true }, { scheduling: 'shared' }]) {
  const name = JSON.stringify(options);
  test(`clutch upgrade replaces the Master under load, and no request fails (${name})`, async (t) => {
    const dir = app(t);
    const pidFile = path.join(dir, 'run/clutch.pid');
    const cluster = await startTestCluster(t, { baseDir: dir, pidFile, admin: { port: 0 }, ...options });
    const old = cluster.child.pid as number;
    const { workers } = await cluster.pids();
    const load = await startLoadProcess(t, cluster.url);
    writeFileSync(path.join(dir, 'app/version'), '2');
    const { code, stdout, stderr } = await clutch('upgrade', dir);
    assert.equal(code, 0, stderr + cluster.output());
    const pid = await masterOf(dir);
    assert.notEqual(pid, old);
    assert.ok(stdout.includes(String(pid)), stdout);
    assert.equal(Number(readFileSync(pidFile, 'utf8')), pid);
    await until('the old processes are gone', () => [old, ...workers].every((each) => !isAlive(each)));
    await until('it ended with 0', () => cluster.child.exitCode === 0);
    assert.equal((await requestJson<{ version: string }>(cluster.url)).version, '2');
    // Once more: what was inherited is passed on.
    const again = await clutch('upgrade', dir);
    assert.equal(again.code, 0, again.stderr + cluster.output());
    await until('the second Master is gone', () => !isAlive(pid));
    const counts = await load.stop();
    assert.deepEqual(Object.keys(counts), ['200'], `${JSON.stringify(counts)}\n${cluster.output()}`);
    assert.equal(Number(readFileSync(pidFile, 'utf8')), await masterOf(dir));
  });
}

test('clutch upgrade with code that does not boot: the old Master stays, with its commands and probes', async (t) => {
  const dir = app(t);
  const cluster = await startTestCluster(t, { baseDir: dir, admin: { port: 0 } });
  const load = await startLoadProcess(t, cluster.url);
  rmSync(path.join(dir, 'app/version'));
  const { code, stderr } = await clutch('upgrade', dir);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^ERR_CLUTCH_BOOT: the new Master did not start: app worker \d+ did not start: .*ENOENT.*version'\n.*router\.js:2/,
  );
  assert.match(cluster.output(), /upgrade failed, this Master stays/);
  assert.equal(await masterOf(dir), cluster.child.pid);
  assert.equal((await request(`${await cluster.admin()}/readyz`)).status, 200);
  assert.equal((await cluster.status()).processes.length, 4);
  assert.deepEqual(Object.keys(await load.stop()), ['200']);
  assert.equal(await cluster.stop(), 0);
});

test('clutch upgrade keeps a unix socket, and the last Master removes its file', async (t) => {
  const dir = app(t, {
    'config/config.default.js':
      "const p = require('node:path'); exports.cluster = { listen: { path: p.join(__dirname, '../s') } };",
  });
  const file = path.join(dir, 's');
  const cluster = await startTestCluster(t, { baseDir: dir, workers: 1, port: undefined });
  const old = cluster.child.pid as number;
  const { code, stderr } = await clutch('upgrade', dir);
  assert.equal(code, 0, stderr + cluster.output());
  await until('the old Master is gone', () => !isAlive(old));
  const status = await new Promise((resolve, reject) => {
    http.get({ socketPath: file, path: '/' }, (res) => resolve(res.resume().statusCode)).on('error', reject);
  });
  assert.equal(status, 200);
  assert.equal((await clutch('stop', dir)).code, 0);
  assert.ok(!existsSync(file));
});

test('clutch upgrade prints why the new Master could not even begin', async (t) => {
  const dir = app(t, { 'telemetry.mjs': '' });
  const cluster = await startTestCluster(t, { baseDir: dir, workers: 1, telemetry: './telemetry.mjs' });
  rmSync(path.join(dir, 'telemetry.mjs'));
  const { code, stderr } = await clutch('upgrade', dir);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^ERR_CLUTCH_BOOT: the new Master did not start: ERR_CLUTCH_NOT_FOUND: module \.\/telemetry\.mjs/,
  );
  assert.match(stderr, /option telemetry\n/);
  assert.equal(await masterOf(dir), cluster.child.pid);
});

test('a new Master that hangs is ended after --timeout or with Ctrl-C, and the old one can be upgraded later', async (t) => {
  const dir = app(t, {
    'app.js': `const { existsSync } = require('node:fs');
      module.exports = class { async didLoad() { if (existsSync(__dirname + '/hangs')) await new Promise((done) => setTimeout(done, 1e6)); } };`,
    hangs: '',
  });
  rmSync(path.join(dir, 'hangs'));
  const cluster = await startTestCluster(t, { baseDir: dir, workers: 1 });
  const old = cluster.child.pid as number;
  writeFileSync(path.join(dir, 'hangs'), '');
  const late = await clutch('upgrade', '--timeout', '1500ms', dir);
  assert.equal(late.code, 1);
  assert.match(
    late.stderr,
    /^ERR_CLUTCH_TIMEOUT: the new Master was not ready within 1500 ms\n.*The old one serves on/,
  );
  assert.equal((await clutch('upgrade', '--timeout', 'soon', dir)).code, 2);

  const command = spawn(process.execPath, [CLI, 'upgrade', dir], { stdio: ['ignore', 'ignore', 'pipe'] });
  t.after(() => command.kill('SIGKILL'));
  let stderr = '';
  command.stderr.on('data', (chunk) => (stderr += String(chunk)));
  const begun = (): number => cluster.output().match(/a new Master is started/g)?.length ?? 0;
  await until('the second upgrade has begun', () => begun() === 2);
  const exited = once(command, 'close');
  command.kill('SIGINT');
  assert.equal((await exited)[0], 130);
  assert.match(stderr, /^cancelled: the new Master ends/);
  await until('the Master has noticed', () => /upgrade failed, .*the upgrade was cancelled/.test(cluster.output()));

  assert.equal(await masterOf(dir), old);
  assert.equal((await request(cluster.url)).status, 200);
  rmSync(path.join(dir, 'hangs'));
  const done = await clutch('upgrade', dir);
  assert.equal(done.code, 0, done.stderr + cluster.output());
  assert.notEqual(await masterOf(dir), old);
});
