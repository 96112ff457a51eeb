import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { CLI, temporaryDirectory, until } from '../support/apps.js';
import { request, requestJson } from '../support/http.js';

const namespaces = spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0;
const canReap = typeof (process as { execve?: unknown }).execve === 'function';

test('as process 1 of a container the app ends on SIGTERM, and orphans are reaped', {
  skip: !namespaces,
}, async (t) => {
  const app = temporaryDirectory(t);
  mkdirSync(path.join(app, 'app'));
  writeFileSync(path.join(app, 'package.json'), '{ "name": "contained" }');
  writeFileSync(
    path.join(app, 'app/router.js'),
    `const { spawnSync } = require('node:child_process');
     const { readdirSync, readFileSync } = require('node:fs');
     module.exports = ({ router }) => {
       router.get('/orphan', (ctx) => { spawnSync('/bin/sh', ['-c', '(sleep 0.1 &)']); ctx.body = 'made'; });
       router.get('/processes', (ctx) => {
         const stats = readdirSync('/proc').filter(Number).map((pid) => readFileSync('/proc/' + pid + '/stat', 'utf8'));
         ctx.body = { sleeping: stats.filter((stat) => /\\(sleep\\) [^Z]/.test(stat)).length, zombies: stats.filter((stat) => /\\) Z /.test(stat)).length };
       });
     };`,
  );
  const port = 20_000 + (process.pid % 10_000);
  let output = '';
  const child = spawn(
    'unshare',
    ['--pid', '--fork', '--mount-proc', process.execPath, CLI, 'start', app, '--port', String(port), '--workers', '1'],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NODE_TEST_CONTEXT: undefined, EGG_HOME: app } },
  );
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const init = (): number => Number(spawnSync('pgrep', ['-P', String(child.pid)], { encoding: 'utf8' }).stdout);
  t.after(() => {
    if (child.exitCode === null) process.kill(init(), 'SIGKILL');
  });
  await until('it has started', () => output.includes('started on'));
  const url = `http://127.0.0.1:${port}`;
  await request(`${url}/orphan`);
  const ended = await until('the orphan has ended', async () => {
    const processes = await requestJson<{ sleeping: number; zombies: number }>(`${url}/processes`);
    return processes.sleeping === 0 && (!canReap || processes.zombies === 0) && processes;
  });
  if (!canReap) {
    assert.equal(ended.zombies, 1);
    assert.match(output, /run the container with an init/);
  }
  process.kill(init(), 'SIGTERM');
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
  assert.match(output, /received SIGTERM, closing/);
  assert.match(output, /closed\n$/);
});
