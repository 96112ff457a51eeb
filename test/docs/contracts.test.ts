import assert from 'node:assert/strict';
import { readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { transformSync } from 'esbuild';
import { Application } from 'koa-clutch';
import { ROOT } from '../support/apps.js';
import { serve, writeApp } from '../support/loaded_app.js';

test('docs/contracts.md: the router validates, and answers 422 with the faults that the page shows', async (t) => {
  const page = readFileSync(path.join(ROOT, 'docs/contracts.md'), 'utf8');
  const [router = ''] = /(?<=^```ts\n)[\s\S]*?(?=^```$)/m.exec(page) ?? [];
  const [printed = ''] = /(?<=^```json\n)[\s\S]*?(?=^```$)/m.exec(page) ?? [];
  const baseDir = writeApp(t, {
    'package.json': '{ "name": "demo", "type": "module" }',
    'config/config.default.js': 'export default { security: { csrf: { enable: false } } };',
    'app/router.js': transformSync(router, { loader: 'ts' }).code,
  });
  symlinkSync(path.join(ROOT, 'node_modules/zod'), path.join(baseDir, 'node_modules/zod'), 'dir');
  const app = new Application({ baseDir, env: 'unittest', mode: 'single' });
  t.after(() => app.close());
  const ask = await serve(t, app);
  const put = (body: unknown) =>
    ask('/notes/7', { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  assert.deepEqual(JSON.parse((await put({ title: 'hello' })).body), { id: 7, title: 'hello' });
  const refused = await put({});
  assert.equal(refused.status, 422);
  const { errors } = JSON.parse(refused.body);
  assert.deepEqual(errors, JSON.parse(printed).errors);
  assert.ok(JSON.parse((await ask('/openapi.json')).body).paths['/notes/{id}'].put);
});
