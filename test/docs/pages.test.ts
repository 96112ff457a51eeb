import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { Application } from 'koa-clutch';
import { CLI, ROOT } from '../support/apps.js';
import { compile } from '../support/compile.js';
import { type Files, loadApp, serve, writeApp } from '../support/loaded_app.js';
import { compiled, filesOf } from '../support/page.js';

const MODULE = { 'package.json': '{ "name": "demo", "type": "module" }' };
const post = (body: unknown) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
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

/** Loads an app that uses packages of this repository. */
function loadAppWith(t: TestContext, packages: string[], files: Files): Application {
  const baseDir = writeApp(t, files);
  for (const name of packages) {
    symlinkSync(path.join(ROOT, 'node_modules', name), path.join(baseDir, 'node_modules', name), 'dir');
  }
  const app = new Application({ baseDir, env: 'unittest', mode: 'single' });
  t.after(() => app.close());
  return app;
}

test('docs/migration-from-koa.md: the app responds as the Koa app did', async (t) => {
  const ask = await serve(t, loadAppWith(t, ['@koa'], filesOf('docs/migration-from-koa.md')));
  const home = await ask('/');
  assert.equal(home.body, 'hello');
  assert.match(String(home.headers['x-response-time']), /^\d+ms$/);
  assert.equal((await ask('/api/notes', post({ a: 1 }))).body, '{"a":1}');
});

test('README.md: the example responds, with the contract and a service of the template', async (t) => {
  const contract = readFileSync(path.join(ROOT, 'app-template/ts/app/contract/note.ts'), 'utf8');
  const app = loadAppWith(t, ['valibot', '@valibot'], {
    ...MODULE,
    'config/config.default.js': "export default { keys: 'k', security: { csrf: false } };",
    ...compiled({ ...filesOf('README.md'), 'app/contract/note.ts': contract }),
    'app/service/note.js': "export default class { create(note) { return { id: 1, createdAt: 'now', ...note }; } }",
  });
  const { status, body } = await (await serve(t, app))('/api/notes', post({ author: 'Ada', text: 'hello' }));
  assert.equal(status, 201, body);
  assert.equal(JSON.parse(body).text, 'hello');
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
