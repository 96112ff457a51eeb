import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { OPTIONS } from '../../cluster/options/option_table.js';
import { startPage } from '../support/admin.js';
import { ROOT, until } from '../support/apps.js';
import { request } from '../support/http.js';
import { filesOf } from '../support/page.js';

const page = readFileSync(path.join(ROOT, 'docs/admin.md'), 'utf8');

test('docs/admin.md: the example prints a process that ends', async (t) => {
  const token = 'the-token-of-the-example';
  const cluster = await startPage(t, { admin: { token } });
  const script = path.join(cluster.baseDir, 'watch.mjs');
  writeFileSync(script, filesOf('docs/admin.md')['watch.mjs'] as string);
  const child = spawn(process.execPath, [script, cluster.page], { env: { ...process.env, CLUTCH_ADMIN_TOKEN: token } });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  await until('it watches', () => output.includes('watching\n') || (child.exitCode !== null && assert.fail(output)));
  const [pid = 0] = (await cluster.pids()).workers;
  process.kill(pid, 'SIGKILL');
  await until('it is printed', () => output.includes(`app worker ${pid} signal ended by SIGKILL\n`));
});

test('docs/admin.md names each view, action and flag', async (t) => {
  const { page: url, view } = await startPage(t);
  const [, names = ''] = /^\| `GET \/api\/views\/<name>` \| one view as JSON: (.*) \|$/m.exec(page) ?? [];
  for (const [, name = ''] of names.matchAll(/`(\w+)`/g)) await view(name as 'now');
  const { body } = await request(`${url}/api/events?views=x`);
  assert.equal((JSON.parse(body) as { error: string }).error.split(' of ')[1], names.replaceAll('`', ''));
  for (const name of ['reload', 'restart', 'scale', 'runSchedule', 'profile', 'retryJob']) {
    assert.match(page, new RegExp(`^\\| \`${name}\` \\|`, 'm'));
    const { status } = await request(`${url}/api/actions/${name}`, { method: 'POST', body: '' });
    assert.equal(status, 415, name);
  }
  for (const { name } of OPTIONS.admin.flags ?? []) assert.ok(page.includes(`--${name}`), name);
});
