import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadApp, serve } from '../../support/loaded_app.js';

test('generator functions work as in Egg 3: middleware, controllers, services, hooks, routes', async (t) => {
  const app = loadApp(t, {
    'config/config.default.js': `exports.middleware = ['time'];`,
    'app/middleware/time.js': `module.exports = () => function* time(next) { this.set('x-before', 'yes'); yield next; this.set('x-after', this.body.name); };`,
    'app/service/user.js': `module.exports = (app) => class extends app.Service { * find(id) { return yield Promise.resolve({ name: 'user ' + id }); } };`,
    'app/controller/user.js': `module.exports = (app) => class extends app.Controller { * show() { this.ctx.body = yield this.ctx.service.user.find(this.ctx.params.id); } };`,
    'app/controller/plain.js': `exports.show = function* () { this.body = yield { name: Promise.resolve('plain'), list: [Promise.resolve(1)] }; };`,
    'app/router.js': `module.exports = (app) => {
      app.use(function* (next) { this.set('x-use', 'yes'); yield next; });
      app.get('/users/:id', function* (next) { this.set('x-route', 'yes'); yield* next; }, 'user.show');
      app.get('/plain', 'plain.show');
      app.get('/direct', function* () { this.body = { name: yield Promise.resolve('direct') }; });
      app.get('/broken', function* () { yield Promise.reject(Object.assign(new Error('no'), { status: 418 })); });
    };`,
    'app.js': `module.exports = class {
      constructor(app) { this.app = app; app.order = []; app.beforeStart(function* () { yield Promise.resolve(); app.order.push('beforeStart'); }); }
      * didLoad() { yield Promise.resolve(); this.app.order.push('didLoad'); }
      * willReady() { yield Promise.resolve(); this.app.order.push('willReady'); }
      * beforeClose() { yield Promise.resolve(); this.app.order.push('beforeClose'); }
    };`,
  });
  const ask = await serve(t, app);
  const user = await ask('/users/7');
  assert.deepEqual(JSON.parse(user.body), { name: 'user 7' });
  const { 'x-before': before, 'x-after': after, 'x-use': use, 'x-route': route } = user.headers;
  assert.deepEqual([before, after, use, route], ['yes', 'user 7', 'yes', 'yes']);
  assert.deepEqual(JSON.parse((await ask('/plain')).body), { name: 'plain', list: [1] });
  assert.deepEqual(JSON.parse((await ask('/direct')).body), { name: 'direct' });
  assert.equal((await ask('/broken')).status, 418);
  const { order } = app as unknown as { order: string[] };
  await app.close();
  assert.deepEqual(order.sort(), ['beforeClose', 'beforeStart', 'didLoad', 'willReady']);
});

test('app.toAsyncFunction keeps this and arguments, and gives back what is no generator; toPromise resolves what is nested', async (t) => {
  const app = loadApp(t);
  const add = app.toAsyncFunction(function* add(this: { base: number }, more: number): Generator<unknown, number> {
    return this.base + ((yield Promise.resolve(more)) as number);
  });
  assert.equal(await (add as unknown as (more: number) => Promise<number>).call({ base: 1 }, 2), 3);
  const plain = () => 1;
  assert.equal(app.toAsyncFunction(plain), plain);
  assert.deepEqual(await app.toPromise({ a: Promise.resolve(1), b: [Promise.resolve(2)] }), { a: 1, b: [2] });
});
