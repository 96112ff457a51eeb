import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { Views } from '../../../../cluster/admin/page_data.js';
import { readEvents, startPage } from '../../../support/admin.js';
import { CLI, isAlive, until } from '../../../support/apps.js';
import { freePort, request, requestJson } from '../../../support/http.js';

const run = promisify(execFile);

test('an upgrade cuts the visitors, and the new Master has the page at the same address', async (t) => {
  const clutch = (command: string, dir: string) =>
    run(process.execPath, [CLI, command, dir], { env: { ...process.env, NODE_TEST_CONTEXT: undefined } });
  let baseDir = '';
  // Ended first: the new Master is no child of the test.
  t.after(() => clutch('stop', baseDir));
  const port = await freePort();
  const cluster = await startPage(t, { admin: { port } });
  baseDir = cluster.baseDir;
  const { page, pids } = cluster;
  const { master } = await pids();
  const stream = await readEvents(t, `${page}/api/events?views=now`);
  await stream.find('now', ({ app }) => app.pid === master);
  await clutch('upgrade', baseDir);
  await stream.ended;
  const again = await readEvents(t, `${page}/api/events?views=now,deaths`);
  await again.find('now', ({ app }) => app.pid !== master);
  await again.find('deaths', (deaths) => deaths.some(({ pid, reason }) => pid === master && reason === 'upgrade'));
  await until('the old Master is gone', () => !isAlive(master));
});

test('the page is there while the app boots, and shows a worker in backoff', async (t) => {
  const { page, baseDir, pids } = await startPage(t);
  writeFileSync(path.join(baseDir, 'app.js'), "throw new Error('no database');");
  const [pid = 0] = (await pids()).workers;
  process.kill(pid, 'SIGKILL');
  const stream = await readEvents(t, `${page}/api/events?views=now`);
  const { data } = await stream.find('now', ({ cluster }) =>
    cluster.processes.some(({ state }) => state === 'backoff'),
  );
  const waiting = data.cluster.processes.find(({ state }) => state === 'backoff');
  assert.match(String(waiting?.lastExit), /no database/);
  // Without a worker there is no report of the app; the rest is there.
  const config = await requestJson<Views['config']>(`${page}/api/views/config`);
  assert.deepEqual(config, { leaves: [] });
  assert.equal((await request(`${page}/api/views/boot`)).status, 200);
});
