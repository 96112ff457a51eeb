import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Context, Next } from 'koa-clutch';
import { loadApp, serve } from '../../support/loaded_app.js';

type Router = ReturnType<typeof loadApp>['router'];

/** Serves the app's router, with a maker of further ones. */
function nest(t: TestContext, mount: (parent: Router, make: (options?: object) => Router) => void) {
  const app = loadApp(t);
  const Router = app.router.constructor as new (options: object, app: object) => Router;
  mount(app.router, (options = {}) => new Router({ sensitive: true, ...options }, app));
  return { app, ask: serve(t, app) };
}

const note = (name: string) => (value: string, ctx: Context, next: Next) => {
  ctx.append('x-param', `${name}=${value}`);
  return next();
};
const reply = (ctx: Context) => {
  ctx.body = ctx.params;
};

test('param() of a parent runs for nested routers, whenever it is called', async (t) => {
  const { ask } = nest(t, (parent, make) => {
    const [child, grandchild] = [make(), make()];
    parent.param('a', note('a'));
    grandchild.get('/:c', reply);
    child.use('/:b', grandchild.routes());
    child.param('b', note('b'));
    parent.use('/:a', child.routes());
    parent.param('c', note('c'));
  });
  const { headers, body } = await (await ask)('/1/2/3');
  assert.equal(headers['x-param'], 'a=1, b=2, c=3');
  assert.equal(body, '{"a":"1","b":"2","c":"3"}');
});

test('prefixes of nested routers add up, and named routes have URLs in both', async (t) => {
  let child: Router | undefined;
  const { app, ask } = nest(t, (parent, make) => {
    child = make({ prefix: '/v1' });
    child.get('user', '/users/:id?', reply);
    parent.prefix('/api');
    parent.use('/z', child.routes());
  });
  const get = await ask;
  assert.equal((await get('/api/z/v1/users/5')).body, '{"id":"5"}');
  assert.equal((await get('/api/z/v1/users')).status, 200);
  assert.equal((await get('/z/v1/users/5')).status, 404);
  assert.equal(app.url('user', { id: 3 }), '/api/z/v1/users/3');
  assert.equal(child?.url('user', { id: 3 }), '/v1/users/3');
});

const PATHLESS: [name: string, define: (router: Router) => unknown, verb: string][] = [
  ['get(handler)', (router) => router.get(...([reply] as never)), 'a get'],
  ['post()', (router) => router.post(...([] as never)), 'a post'],
  ['all(handler)', (router) => router.all(...([reply] as never)), 'an all'],
];

for (const [name, define, verb] of PATHLESS) {
  test(`${name} without a path is refused as by @koa/router`, (t) => {
    assert.throws(
      () => define(loadApp(t).router),
      new RegExp(`You have to provide a path when adding ${verb} handler`),
    );
  });
}
