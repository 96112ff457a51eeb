import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadApp, serve } from '../support/loaded_app.js';

const actions = [
  ['index', ['GET'], '/posts', 'posts'],
  ['new', ['GET'], '/posts/new', 'new_post'],
  ['create', ['POST'], '/posts', 'posts'],
  ['show', ['GET'], '/posts/7', 'post'],
  ['edit', ['GET'], '/posts/7/edit', 'edit_post'],
  ['update', ['PATCH', 'PUT'], '/posts/7', 'post'],
  ['destroy', ['DELETE'], '/posts/7', 'destroy_post'],
] as const;

const APP = {
  'config/config.default.js': 'exports.security = { csrf: false };',
  'app/controller/posts.js': actions
    .map(([action]) => `exports.${action} = async (ctx) => { ctx.body = '${action}'; };`)
    .join('\n'),
  'app/router.js': "module.exports = (app) => app.resources('posts', '/posts', 'posts');",
};

for (const [action, methods, path, name] of actions) {
  test(`core 4.resources.${action} is ${methods.join(' and ')} ${path}`, async (t) => {
    const app = loadApp(t, APP);
    const ask = await serve(t, app);
    for (const method of methods) assert.equal((await ask(path, { method })).body, action);
    assert.equal(app.url(name, path.includes('7') ? { id: 7 } : {}), path);
  });
}

test('core 4.resources.irregular names are inflected, and actions that are missing have no route', (t) => {
  const app = loadApp(t, {
    'app/router.js':
      "module.exports = (app) => app.resources('person', '/people/', { index: async () => {}, show: async () => {} });",
  });
  assert.equal(app.url('people'), '/people');
  assert.equal(app.url('person', { id: 1 }), '/people/1');
  assert.equal(app.url('edit_person', { id: 1 }), '');
});

test('core 4.captures those of a RegExp route are parameters', async (t) => {
  const app = loadApp(t, {
    'app/router.js': `module.exports = (app) => app.get(/^\\/re\\/(\\w+)\\/(\\w+)$/, async (ctx) => {
      ctx.body = [ctx.params, ctx.captures]; });`,
  });
  const { body } = await (await serve(t, app))('/re/a/b');
  assert.deepEqual(JSON.parse(body), [{ 0: 'a', 1: 'b' }, ['a', 'b']]);
});

test('core 4.matched a route that is matched is in ctx', async (t) => {
  const names = '[ctx.routerName, ctx.routerPath, ctx._matchedRoute, ctx._matchedRouteName, ctx.matched.length]';
  const app = loadApp(t, {
    'app/router.js': `module.exports = (app) => app.get('user', '/users/:id', async (ctx) => { ctx.body = ${names}; });`,
  });
  const { body } = await (await serve(t, app))('/users/1');
  assert.deepEqual(JSON.parse(body), ['user', '/users/:id', '/users/:id', 'user', 1]);
});

test('core 4.url leaves out optional parameters that are not given, leftover ones become the query', (t) => {
  const app = loadApp(t, {
    'app/router.js':
      "module.exports = (app) => app.get('two', '/two/:a/:b?', async () => {}).get('q', '/q?x=1', async () => {});",
  });
  assert.equal(app.url('two', { a: 1 }), '/two/1');
  assert.equal(app.url('two', { a: 1, b: 2 }), '/two/1/2');
  assert.equal(app.url('q', { y: 2 }), '/q?x=1&y=2');
  assert.equal(app.url('two', 'text' as never), '/two/:a');
});

test('core 4.last the router comes after middleware that router.js and didLoad use', async (t) => {
  const app = loadApp(t, {
    'app.js': `module.exports = class { constructor(app) { this.app = app; }
      async didLoad() { this.app.use((ctx, next) => { ctx.seen += ' didLoad'; return next(); }); } };`,
    'app/router.js': `module.exports = (app) => { app.get('/', async (ctx) => { ctx.body = ctx.seen; });
      app.use((ctx, next) => { ctx.seen = 'router.js'; return next(); }); };`,
  });
  assert.equal((await (await serve(t, app))('/')).body, 'router.js didLoad');
});

test('core 4.namespace and host are not there', (t) => {
  assert.equal(Reflect.get(loadApp(t).router, 'namespace'), undefined);
});
