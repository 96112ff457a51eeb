import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadApp, serve } from '../support/loaded_app.js';
import { filesOf } from '../support/page.js';

test('docs/view.md: a page with a layout', async (t) => {
  const page = readFileSync('docs/view.md', 'utf8');
  const templates = [...page.matchAll(/^```html\n<!-- (\S+) -->\n([\s\S]*?)^```$/gm)];
  const { 'app.js': _markdown, ...files } = filesOf('docs/view.md');
  const app = loadApp(t, { ...files, ...Object.fromEntries(templates.map(([, file, code]) => [file, code])) });
  const { body } = await (await serve(t, app))('/');
  assert.match(body, /<title>&lt;Ada&gt;<\/title>\s*<h1>Hello &lt;Ada&gt;<\/h1>\s*<a href="\/">\/<\/a>/);
});

test('docs/view.md: an own engine', async (t) => {
  const files = filesOf('docs/view.md');
  const app = loadApp(t, {
    'app.js': files['app.js'] as string,
    'app/view/a.md': '# A',
    'app/router.js': "module.exports = (app) => { app.get('/', (ctx) => ctx.render('a.md')); };",
    'config/config.default.js': files['config/config.default.js'] as string,
  });
  assert.equal((await (await serve(t, app))('/')).body, '<pre>a.md</pre>');
});
