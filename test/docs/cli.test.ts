import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { askMaster } from 'koa-clutch/cluster';
import { CLI, ROOT, startTestCluster, until } from '../support/apps.js';
import { writeApp } from '../support/loaded_app.js';

test('docs/cli.md: the commands that watch a running app work as printed', async (t) => {
  const page = readFileSync(path.join(ROOT, 'docs/cli.md'), 'utf8');
  const [, block = ''] = /```sh\n(clutch top [\s\S]*?)```/.exec(page) ?? [];
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
  const dir = writeApp(t, { 'app/router.js': "module.exports = (app) => app.logger.info('loaded');" });
  const cluster = await startTestCluster(t, { baseDir: dir, workers: 1 });
  const pid = String((await cluster.pids()).workers[0]);
  await until('the control socket replies', () => askMaster(dir, { command: 'status' }).catch(() => undefined));
  const logs = ['logs', '--json', dir];
  await until('there is a log', () => spawnSync(process.execPath, [CLI, ...logs], { env }).status === 0);
  const lines = block.split('\n').filter(Boolean);
  assert.equal(lines.length, 7);
  for (const line of lines) {
    const [command = ''] = line.split(/ +#/);
    // Shorter, and without what never ends.
    const shorter = command.replace('4711', pid).replace('10s', '200ms').replace(' -f', '');
    const args = [...shorter.split(' ').slice(1), ...(/clutch trace/.test(shorter) ? ['--for', '300ms'] : []), dir];
    execFileSync(process.execPath, [CLI, ...args], { env });
  }
});
