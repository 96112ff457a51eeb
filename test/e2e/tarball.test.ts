import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { isAlive, ROOT, temporaryDirectory, until } from '../support/apps.js';
import { request, requestJson } from '../support/http.js';

const run = promisify(execFile);

test('the packed tarball makes an app that installs, tests, runs in development and as a daemon', async (t) => {
  const dir = temporaryDirectory(t);
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_ENV: undefined, EGG_HOME: dir };
  const npm = (cwd: string, ...args: string[]) => run('npm', [...args, '--no-audit', '--no-fund'], { cwd, env });

  // dist is built: packing must not build it again under the tests that use it.
  const pack = async (from: string): Promise<string> => {
    const { stdout } = await npm(from, 'pack', '--ignore-scripts', '--json', '--pack-destination', dir);
    const packed = JSON.parse(stdout) as { filename: string }[] | Record<string, { filename: string }>;
    const [{ filename }] = Object.values(packed) as [{ filename: string }];
    return path.join(dir, filename);
  };
  const host = path.join(dir, 'host');
  mkdirSync(host);
  writeFileSync(path.join(host, 'package.json'), '{ "name": "host", "private": true }');
  await npm(host, 'install', await pack(ROOT), await pack(path.join(ROOT, 'create-koa-clutch')));
  await run('npx', ['clutch', 'init', '../my-app'], { cwd: host, env });
  const create = ['create', '--offline', 'koa-clutch', '../created', '--', '--js', '--port', '8123'];
  const { stdout: made } = await run('npm', create, { cwd: host, env });
  assert.match(made, /Made \.\.\/created\./);
  assert.match(readFileSync(path.join(dir, 'created/config/config.default.js'), 'utf8'), /port: 8123 /);
  for (const name of ['my-app', 'created']) {
    const { dependencies } = JSON.parse(readFileSync(path.join(dir, name, 'package.json'), 'utf8'));
    assert.match(dependencies['koa-clutch'], /^file:.*koa-clutch-\S+\.tgz$/, name);
  }

  const app = path.join(dir, 'my-app');
  await npm(app, 'install');
  assert.match((await npm(app, 'test')).stdout, /pass 7/);

  // Not through npx: a signal to it does not reach the process it runs.
  const cli = path.join(app, 'node_modules/.bin/clutch');
  const dev = spawn(cli, ['dev', '--port', '0'], { cwd: app, env, stdio: ['ignore', 'pipe', 'ignore'] });
  t.after(() => dev.kill('SIGTERM'));
  let output = '';
  dev.stdout.on('data', (chunk: Buffer) => (output += String(chunk)));
  const url = await until('clutch dev serves', () => /started on (\S+)/.exec(output)?.[1]);
  assert.match((await request(url)).body, /<h1>Notes<\/h1>/);
  dev.kill('SIGINT');
  await once(dev, 'exit');

  await npm(app, 'run', 'build');
  const started = await run(cli, ['start', '--daemon', '--port', '0', '--workers', '1'], { cwd: app, env });
  const [, address, pid] = /started on (\S+), pid (\d+)/.exec(started.stdout) ?? [];
  t.after(() => isAlive(Number(pid)) && process.kill(Number(pid)));
  assert.deepEqual(await requestJson(`${address}/api/notes`), []);
  assert.match((await npm(app, 'run', 'stop')).stdout, /stopped, pid/);
});
