import assert from 'node:assert/strict';
import { test } from 'node:test';
import { start } from 'koa-clutch';
import { until } from '../support/apps.js';
import { compile } from '../support/compile.js';
import { serve, writeApp } from '../support/loaded_app.js';
import { compiled, filesOf } from '../support/page.js';

const FILES = { 'package.json': '{ "name": "demo", "type": "module" }', ...filesOf('docs/fleet.md') };

test('docs/fleet.md: its app compiles', (t) => {
  assert.equal(compile(t, FILES), '');
});

test('docs/fleet.md: its app sends, asks and leads', async (t) => {
  const app = (await start({ baseDir: writeApp(t, compiled(FILES)) })) as Awaited<ReturnType<typeof start>> & {
    prices?: Map<number, string>;
  };
  t.after(() => app.close());
  const ask = await serve(t, app);
  assert.equal((await ask('/change')).body, '3');
  await until('the message has arrived', () => app.prices?.size === 0);
  const leases = app.agent.fleet.bucket({ name: 'leases', ttl: 10_000 });
  await until('it leads', async () => (await leases.get('reports')) !== undefined);
});
