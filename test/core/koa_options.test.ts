// Options of Koa's own constructor.
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { test } from 'node:test';
import { type Context, EggCore } from 'koa-clutch';
import { request } from '../support/http.js';
import { writeApp } from '../support/loaded_app.js';

test('compose, asyncLocalStorage, proxy, keys and the like are options, as in Koa', async (t) => {
  const storage = new AsyncLocalStorage<Context>();
  const seen: unknown[] = [];
  const app = new EggCore({
    baseDir: writeApp(t),
    asyncLocalStorage: storage,
    proxy: true,
    subdomainOffset: 3,
    keys: ['k'],
    compose: (middleware) => async (ctx) => {
      seen.push(middleware.length, storage.getStore() === ctx);
      ctx.body = { ip: ctx.ip };
    },
  });
  app.use((_ctx, next) => next());
  const server = app.listen(0);
  t.after(() => app.close());
  const { port } = server.address() as { port: number };
  const { body } = await request(`http://127.0.0.1:${port}/`, { headers: { 'x-forwarded-for': '10.0.0.1' } });
  assert.equal(body, '{"ip":"10.0.0.1"}');
  assert.deepEqual(seen, [1, true]);
  assert.equal(app.ctxStorage, storage);
  assert.deepEqual([app.subdomainOffset, Reflect.get(app, 'keys')], [3, ['k']]);
});
