import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { start } from 'koa-clutch';
import { startTestCluster } from '../support/apps.js';
import { writeApp } from '../support/loaded_app.js';

const FRAMEWORK = 'module.exports = require("egg");';
const USES_IT = { 'package.json': '{ "name": "demo", "egg": { "framework": "fw" } }' };

test('a framework is found by egg.framework, with and without a package.json of its own', async (t) => {
  for (const pkg of [{ 'node_modules/fw/package.json': '{ "name": "fw" }' }, {}] as Record<string, string>[]) {
    const baseDir = writeApp(t, { ...USES_IT, ...pkg, 'node_modules/fw/index.js': FRAMEWORK });
    const app = await start({ baseDir, env: 'unittest' });
    await app.close();
  }
});

test('a framework without an entry file is named with its directory', async (t) => {
  const baseDir = writeApp(t, {
    ...USES_IT,
    'node_modules/fw/package.json': '{ "name": "fw", "main": "dist/index.js" }',
  });
  await assert.rejects(start({ baseDir }), {
    code: 'ERR_CLUTCH_FRAMEWORK',
    message: /framework fw has no entry file\n.*node_modules\/fw\n.*"main"/,
  });
});

test('a framework that is not installed is named with the directories that were searched', async (t) => {
  await assert.rejects(start({ baseDir: writeApp(t, USES_IT) }), {
    code: 'ERR_CLUTCH_FRAMEWORK',
    message: /fw is not found in .*node_modules[\s\S]*npm install fw/,
  });
});

test('a framework is found that is hoisted above the symbolic link by which the app is reached', async (t) => {
  const real = writeApp(t, USES_IT);
  const outer = writeApp(t, {
    'node_modules/fw/package.json': '{ "name": "fw" }',
    'node_modules/fw/index.js': FRAMEWORK,
    'apps/README': '',
  });
  const baseDir = path.join(outer, 'apps/linked');
  symlinkSync(real, baseDir, 'dir');
  const app = await start({ baseDir, env: 'unittest' });
  await app.close();
  await startTestCluster(t, { baseDir, workers: 1 });
});
