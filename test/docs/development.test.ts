import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { until } from '../support/apps.js';
import { loadApp } from '../support/loaded_app.js';
import { filesOf } from '../support/page.js';

test('docs/development.md: the app hears of its file, and the config is taken', async (t) => {
  const files = { ...filesOf('docs/development.md'), 'rules.json': '{}', 'config/config.default.js': '' };
  const app = loadApp(t, files, { env: 'local' }) as ReturnType<typeof loadApp> & { rules?: { a: number } };
  await app.watcher.ready();
  writeFileSync(path.join(app.baseDir, 'rules.json'), '{"a":1}');
  await until('the rules are read', () => app.rules?.a === 1);
  assert.deepEqual(app.config.development?.watchDirs, ['lib']);
});
