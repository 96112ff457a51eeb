import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { launch, ROOT, startTestCluster } from '../support/apps.js';
import { request } from '../support/http.js';
import { writeApp } from '../support/loaded_app.js';

/** As in production: a process that maps no stacks by itself. */
const PLAIN = { NODE_OPTIONS: '' };
const OWN_FRAMES = new RegExp(`${ROOT}/(\\S+?):\\d+:\\d+`, 'g');

function ownFiles(text: string): string[] {
  return [...text.matchAll(OWN_FRAMES)]
    .map(([, file]) => file as string)
    .filter((file) => !file.startsWith('node_modules/'));
}

test('the stack of an error of a handler names source files of Clutch in the log of production', async (t) => {
  const baseDir = writeApp(t, {
    'config/config.default.js': 'exports.keys = "k"; exports.logger = { dir: __dirname + "/../logs" };',
    'app/router.js': "module.exports = (app) => app.get('/', (ctx) => ctx.curl(7));",
  });
  const cluster = await startTestCluster(t, { baseDir, workers: 1 }, PLAIN);
  assert.equal((await request(cluster.url)).status, 500);
  await cluster.stop();
  const text = readFileSync(path.join(baseDir, 'logs/common-error.log'), 'utf8');
  const files = ownFiles(text);
  assert.ok(files.length > 0, text);
  for (const file of files) assert.match(file, /^(?:core|framework|plugins)\/.*\.ts$/);
});

test('the stack of a boot error names them as well, for those who ask for it', async (t) => {
  const baseDir = writeApp(t, {
    'config/config.default.js': 'exports.keys = "k";',
    'app.js': "module.exports = () => { throw new Error('no'); };",
  });
  const { output, exited } = launch(t, { baseDir, workers: 1 }, { ...PLAIN, CLUTCH_STACK: '1' });
  assert.equal(await exited, 1, output());
  const files = ownFiles(output());
  assert.ok(files.length > 0, output());
  for (const file of files) assert.match(file, /^(?:core|framework|loader|cluster)\/.*\.ts$/);
});
