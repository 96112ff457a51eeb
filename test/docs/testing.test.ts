import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { writeApp } from '../support/loaded_app.js';
import { filesOf } from '../support/page.js';

test('docs/testing.md: its tests pass in its app', (t) => {
  const files = filesOf('docs/testing.md');
  const app = Object.fromEntries(Object.entries(files).filter(([name]) => !name.startsWith('test/')));
  const fixture = Object.entries(app).map(([name, text]) => [path.join('test/fixtures/apps/users', name), text]);
  const baseDir = writeApp(t, {
    ...files,
    ...Object.fromEntries(fixture),
    'test/fixtures/apps/users/package.json': '{ "name": "users" }',
  });
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const tests = Object.keys(files).filter((name) => name.startsWith('test/'));
  assert.equal(tests.length, 3);
  const { status, stdout } = spawnSync(process.execPath, ['--test', ...tests], { cwd: baseDir, env, encoding: 'utf8' });
  assert.equal(status, 0, stdout);
});
