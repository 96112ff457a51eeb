import assert from 'node:assert/strict';
import { test } from 'node:test';
import OriginalRouter from '@koa/router';
import { canDispatch, choosesByPath, type KoaRouter, type Layer } from '../../../core/router/koa_router.js';
import { Router } from '../../../core/router/router.js';
import type { Context } from '../../../core/types.js';

// What Clutch relies on in @koa/router, and what happens where it is not so.

const original = (options: Record<string, unknown> = {}): KoaRouter =>
  new OriginalRouter(options) as unknown as KoaRouter;

test('@koa/router keeps its routes in `stack`, each with regexp, methods, paramNames, stack and opts', () => {
  const router = original({ prefix: '/v1' });
  router.register('/users/:id', ['get'], [() => undefined], { name: 'user' });
  router.use(() => undefined);
  assert.equal(router.stack.length, 2);
  assert.ok(router.stack.every(canDispatch));
  const [layer] = router.stack as [Layer];
  assert.equal(layer.name, 'user');
  assert.deepEqual(layer.methods, ['HEAD', 'GET']);
  assert.equal(layer.paramNames[0]?.name, 'id');
  assert.equal(layer.regexp.exec('/v1/users/7')?.[1], '7');
});

test('@koa/router keeps the handlers of its events in `_events._handlers`, and its ways to choose in `host` and `exclusive`', () => {
  assert.equal(choosesByPath(original()), true);
  assert.equal(choosesByPath(original({ host: 'example.com' })), false);
  assert.equal(choosesByPath(original({ exclusive: true })), false);
  const router = original();
  (router as unknown as { on(event: string, handler: () => void): void }).on('not-found', () => undefined);
  assert.equal(choosesByPath(router), false);
});

const WITHOUT: Record<string, (router: Router) => void> = {
  'as it is': () => undefined,
  'without _events._handlers': (router) => Object.assign(router, { _events: { emit: () => undefined } }),
  'without opts of a layer': ({ stack }) => delete (stack[1] as Partial<Layer>).opts,
};

for (const [name, change] of Object.entries(WITHOUT)) {
  test(`a request takes its route ${name}`, async () => {
    const router = new Router({}, {});
    router.get('/users/:id', (ctx: Context) => void (ctx.state = { user: ctx.params['id'] as string }));
    router.get('/other', () => undefined);
    change(router);
    const ctx = { method: 'GET', path: '/users/7', request: {} } as unknown as Context;
    await router.routes()(ctx, () => Promise.resolve());
    assert.deepEqual(ctx.state, { user: '7' });
    assert.equal((ctx as unknown as { _matchedRoute: string })._matchedRoute, '/users/:id');
  });
}
