import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Application } from 'koa-clutch';
import { CLI, ROOT } from '../support/apps.js';
import { compile } from '../support/compile.js';
import { loadApp, serve, writeApp } from '../support/loaded_app.js';
import { compiled, filesOf } from '../support/page.js';

const MODULE = { 'package.json': '{ "name": "demo", "type": "module" }' };
const KEYS = { 'config/config.default.js': "export default { keys: 'k' };" };

for (const [page, title] of [
  ['docs/quick-start.md', 'The Left Hand of Darkness'],
  ['docs/zh/quick-start.md', '黑暗的左手'],
] as const) {
  test(`${page}: the app compiles, responds, and passes its tests`, async (t) => {
    const files = filesOf(page);
    assert.equal(compile(t, files), '');
    const runnable = { ...MODULE, ...KEYS, ...compiled(files) };
    const ask = await serve(t, loadApp(t, runnable));
    assert.deepEqual(JSON.parse((await ask('/books/1')).body), { title });
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { status, stdout } = spawnSync(process.execPath, [CLI, 'test'], {
      cwd: writeApp(t, runnable),
      env,
      encoding: 'utf8',
    });
    assert.equal(status, 0, stdout);
    assert.match(stdout, /pass 2/);
  });
}

test('docs/migration-from-midway.md: the app compiles and responds', async (t) => {
  const files = filesOf('docs/migration-from-midway.md');
  assert.equal(compile(t, files), '');
  const app = loadApp(t, { ...MODULE, ...KEYS, ...compiled(files) });
  const ask = await serve(t, app);
  assert.deepEqual(JSON.parse((await ask('/books/4')).body), { id: 4, title: 'Book 4' });
  assert.deepEqual({ ...Reflect.get(app, 'catalogue') }, { size: 3 });
});

test('docs/migration-from-koa.md: the app responds as the Koa app did', async (t) => {
  const baseDir = writeApp(t, filesOf('docs/migration-from-koa.md'));
  symlinkSync(path.join(ROOT, 'node_modules/@koa'), path.join(baseDir, 'node_modules/@koa'), 'dir');
  const app = new Application({ baseDir, env: 'unittest', mode: 'single' });
  t.after(() => app.close());
  const ask = await serve(t, app);
  const home = await ask('/');
  assert.equal(home.body, 'hello');
  assert.match(String(home.headers['x-response-time']), /^\d+ms$/);
  const headers = { 'content-type': 'application/json' };
  assert.equal((await ask('/api/notes', { method: 'POST', headers, body: '{"a":1}' })).body, '{"a":1}');
});

test('docs/config.md: files of an env add to the default, the TypeScript one compiles', async (t) => {
  const { 'config/config.default.ts': typed, ...files } = filesOf('docs/config.md');
  const app = loadApp(t, files, { env: 'prod' });
  const { shop } = app.config as { shop?: unknown };
  assert.deepEqual(shop, { currency: 'EUR', pageSize: 50, regions: ['ch'] });
  assert.equal(compile(t, { 'config/config.default.ts': typed as string }), '');
});

test('docs/config.md: an async config is awaited', async (t) => {
  const { 'config/config.remote.js': remote } = filesOf('docs/config.md');
  const files = {
    'config/config.default.js': "exports.keys = 'k';",
    'config/config.remote.js': `const fetch = async (url) => ({ ok: true, json: async () => ({ from: url }) });\n${remote}`,
  };
  const app = await Application.create({ baseDir: writeApp(t, files), env: 'remote', mode: 'single' });
  t.after(() => app.close());
  assert.equal(Reflect.get(app.config, 'from'), 'http://config.example/demo');
});

test('docs/plugins.md: the plugin gives each request an id, from where the app says', async (t) => {
  const ask = await serve(
    t,
    loadApp(t, { 'config/config.unittest.js': "exports.keys = 'k';", ...filesOf('docs/plugins.md') }),
  );
  const first = JSON.parse((await ask('/')).body) as { id: number };
  const second = JSON.parse((await ask('/')).body) as { id: number };
  assert.deepEqual([first.id, second.id], [100, 101]);
});
