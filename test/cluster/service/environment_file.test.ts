import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { CLI, startTestCluster } from '../../support/apps.js';
import { requestJson } from '../../support/http.js';
import { writeApp } from '../../support/loaded_app.js';

const run = promisify(execFile);

function clutch(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return run(process.execPath, [CLI, ...args], { env: { ...process.env, NODE_TEST_CONTEXT: undefined } }).then(
    (result) => ({ code: 0, ...result }),
    (error) => error,
  );
}

test('clutch reload --env-file gives the new processes another environment, and shows the names that change', async (t) => {
  const dir = writeApp(t, {
    'app.js': "if (process.env.FAIL) throw new Error('it shall not boot');",
    'app/router.js': `const { A, B, C } = process.env;
      module.exports = ({ router }) => { router.get('/', (ctx) => { ctx.body = { A, B, C }; }); };`,
  });
  const cluster = await startTestCluster(t, { baseDir: dir, workers: 1 }, { C: 'own' });
  const file = path.join(dir, 'variables');
  const reload = (text: string, ...flags: string[]) => {
    writeFileSync(file, text);
    return clutch('reload', dir, '--env-file', file, ...flags);
  };

  assert.equal((await reload('A=1\nC=2', '--dry-run')).stdout, '+ A=***\n~ C=***\n');
  assert.deepEqual(await requestJson(cluster.url), { C: 'own' });

  assert.equal((await reload('A=1\nC=2')).stdout, '+ A=***\n~ C=***\nreloaded\n');
  assert.deepEqual(await requestJson(cluster.url), { A: '1', C: '2' });

  const failed = await reload('FAIL=1');
  assert.equal(failed.code, 1);
  assert.deepEqual(await requestJson(cluster.url), { A: '1', C: '2' });

  // What the file before has set is taken back.
  assert.equal((await reload('B=3')).stdout, '- A=***\n~ C=***\n+ B=***\nreloaded\n');
  assert.deepEqual(await requestJson(cluster.url), { B: '3', C: 'own' });

  const { code, stdout, stderr } = await clutch('reload', dir, '--dry-run');
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /--dry-run needs --env-file/);

  const missing = await clutch('reload', dir, '--env-file', path.join(dir, 'none'));
  // Node 20 reads the option itself, wherever it stands.
  assert.ok(missing.code === 1 || missing.code === 9);
  assert.match(missing.stderr, /none(?: cannot be read|: not found)/);
});
