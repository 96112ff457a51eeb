import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { METRICS } from '../../cluster/control/metric_table.js';
import { ROOT, startTestCluster, temporaryDirectory, until } from '../support/apps.js';
import { request } from '../support/http.js';
import { writeApp } from '../support/loaded_app.js';

const page = readFileSync(path.join(ROOT, 'docs/metrics.md'), 'utf8');

test('docs/metrics.md: the table has each metric with its type, labels and meaning', () => {
  const rows = [...page.matchAll(/^\| `(clutch_\w+)` \| (\w+) \| (.*?) \| (.*) \|$/gm)].map(([, ...row]) =>
    row.map((cell) => cell.trim()),
  );
  assert.deepEqual(
    rows,
    METRICS.map(({ name, type, labels, help }) => [name, type, labels.join(', '), help]),
  );
});

test('docs/metrics.md: the program names the routes that have failed', async (t) => {
  const baseDir = writeApp(t, {
    'config/config.default.js': `exports.keys = 'k';`,
    'app/router.js': `module.exports = (app) => {
      app.get('/', (ctx) => { ctx.body = 'fine'; });
      app.get('/orders/:id', () => { throw new Error('no stock'); });
    };`,
  });
  const cluster = await startTestCluster(t, { baseDir, workers: 1, admin: { port: 0 } });
  for (const url of ['/', '/orders/1', '/orders/2']) await request(cluster.url + url);
  const file = path.join(temporaryDirectory(t), 'failed_routes.mjs');
  writeFileSync(file, /^```js\n(\/\/ failed_routes[\s\S]*?)^```$/m.exec(page)?.[1] as string);
  const admin = await cluster.admin();
  const { stdout } = await until('the failures are counted', async () => {
    const result = await promisify(execFile)(process.execPath, [file, admin]);
    return result.stdout.endsWith('2\n') && result;
  });
  assert.equal(stdout, 'GET /orders/:id: 2\n');
});
