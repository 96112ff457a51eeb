import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { start } from 'koa-clutch';
import { ROOT, until } from '../support/apps.js';
import { serve, writeApp } from '../support/loaded_app.js';
import { compiled, filesOf } from '../support/page.js';

function writePage(t: TestContext): string {
  const files = { 'package.json': '{ "name": "demo", "type": "module" }', ...compiled(filesOf('docs/jobs.md')) };
  const baseDir = writeApp(t, files);
  symlinkSync(path.join(ROOT, 'node_modules/zod'), path.join(baseDir, 'node_modules/zod'), 'dir');
  return baseDir;
}

test('docs/jobs.md: its app adds a job once, runs it, and refuses data with every fault', async (t) => {
  const app = await start({ baseDir: writePage(t) });
  t.after(() => app.close());
  const ask = await serve(t, app);
  const first = JSON.parse((await ask('/sign-up?to=ada@example.com')).body) as { id: string; added: boolean };
  assert.equal(first.added, true);
  const again = JSON.parse((await ask('/sign-up?to=ada@example.com')).body) as object;
  assert.deepEqual(again, { id: first.id, added: false });
  const job = await until('it is completed', async () => {
    const { body } = await ask(`/jobs/${first.id}`);
    const found = JSON.parse(body) as { state: string; result: string; progress: number };
    return found.state === 'completed' && found;
  });
  assert.equal(job.result, 'sent "Hello friend" to ada@example.com');
  assert.equal(job.progress, 10);
  assert.equal((await ask('/sign-up?to=nobody')).status, 500);
});

test('docs/jobs.md: its test passes', (t) => {
  const { status, stdout } = spawnSync(process.execPath, ['--test', 'test/welcome.test.js'], {
    cwd: writePage(t),
    encoding: 'utf8',
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  });
  assert.equal(status, 0, stdout);
});
