import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadApp, serve } from '../support/loaded_app.js';
import { filesOf } from '../support/page.js';

test('docs/static.md: files of two directories', async (t) => {
  const [, css = ''] = /^```css\n\/\* app\/public\/site\.css \*\/\n([\s\S]*?)^```$/m.exec(
    readFileSync('docs/static.md', 'utf8'),
  ) as string[];
  const app = loadApp(t, { ...filesOf('docs/static.md'), 'app/public/site.css': css, 'build/app.js': 'let a;' });
  const ask = await serve(t, app);
  assert.equal((await ask('/public/site.css')).body, 'body { margin: 0; }\n');
  assert.equal((await ask('/assets/app.js')).headers['cache-control'], 'public, max-age=60');
});
