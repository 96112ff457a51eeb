import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Files, loadApp, serve } from '../support/loaded_app.js';
import { declare, plugin } from '../support/plugin_files.js';

/** Files of an app with a plugin `p`. */
function withPlugin(inPlugin: Files, inApp: Files = {}): Files {
  return { ...declare({ p: {} }), ...plugin('p', {}, inPlugin), ...inApp };
}

/** Responds with the value of an expression of `ctx` and `app`. */
const route = (expression: string): Files => ({
  'app/router.js': `module.exports = (app) => app.get('/', async (ctx) => { ctx.body = { value: ${expression} }; });`,
});

async function evaluate(t: TestContext, expression: string, files: Files): Promise<unknown> {
  const ask = await serve(t, loadApp(t, { ...files, ...route(expression) }));
  return (JSON.parse((await ask('/')).body) as { value?: unknown }).value;
}

test('core 7.31 the env file of a plugin wins over the plain extend file of the app', async (t) => {
  const app = loadApp(
    t,
    withPlugin(
      { 'app/extend/context.local.js': 'exports.who = "plugin";' },
      { 'app/extend/context.js': 'exports.who = "app";' },
    ),
    { env: 'local' },
  );
  assert.equal(Reflect.get(app.createAnonymousContext(), 'who'), 'plugin');
});

test('core 7.32 a setter alone keeps the getter of Koa; a value in place of an accessor stops the boot', async (t) => {
  const setter = {
    'app/extend/context.js': 'module.exports = { set ip(value) { this.request.ip = "set " + value; } };',
  };
  assert.equal(await evaluate(t, '(ctx.ip = "x", ctx.ip)', setter), 'set x');
  assert.throws(
    () => loadApp(t, { 'app/extend/context.js': 'exports.body = 1;' }),
    /body is a getter or setter[\s\S]*context\.js/,
  );
});

test('core 7.33 file names: which are refused, and what they become', (t) => {
  const file = (name: string) => ({ [`app/controller/${name}.js`]: 'exports.index = async () => {};' });
  for (const name of ['_a', '1a', 'a.b', 'a b']) {
    assert.throws(() => loadApp(t, file(name)), new RegExp(`${name} does not match 'a-z0-9_-'`));
  }
  const app = loadApp(t, { ...file('a_1'), ...file('FooBar'), ...file('a__b') });
  assert.deepEqual(Object.keys(app.controller).sort(), ['a_1', 'a_B', 'fooBar']);
});

test('core 7.34 foo_bar.js and fooBar.js clash, foo.js and foo/bar.js are merged', async (t) => {
  const service = 'module.exports = (app) => ({ hi: 1 });';
  assert.throws(
    () => loadApp(t, { 'app/service/foo_bar.js': service, 'app/service/fooBar.js': service }),
    /can't overwrite property 'fooBar' from .*foo.?[bB]ar\.js by .*foo.?[bB]ar\.js/,
  );
  const both = { 'app/service/foo.js': service, 'app/service/foo/bar.js': 'module.exports = { ho: 2 };' };
  assert.deepEqual(await evaluate(t, '[ctx.service.foo.hi, ctx.service.foo.bar.ho]', both), [1, 2]);
});

test('core 7.35 null and undefined are skipped, false and 0 are kept', (t) => {
  const files: Files = { 'config/config.default.js': 'exports.customLoader = { kit: { directory: "app/kit" } };' };
  for (const value of ['null', 'undefined', 'false', '0'])
    files[`app/kit/k_${value}.js`] = `module.exports = ${value};`;
  const kit: unknown = Reflect.get(loadApp(t, files), 'kit');
  assert.deepEqual({ ...(kit as object) }, { k_0: 0, kFalse: false });
});

test('core 7.36 services of one name clash; of middleware the file of the app is used, and none is listed twice', async (t) => {
  const user = { 'app/service/user.js': 'module.exports = class {};' };
  assert.throws(() => loadApp(t, withPlugin(user, user)), /can't overwrite property 'user'/);
  const middleware = (who: string) => ({
    'app/middleware/who.js': `module.exports = () => (ctx, next) => { ctx.who = "${who}"; return next(); };`,
  });
  const files = withPlugin(middleware('plugin'), middleware('app'));
  const list = { 'config/config.default.js': 'exports.middleware = ["who"];' };
  assert.equal(await evaluate(t, 'ctx.who', { ...files, ...list }), 'app');
  const core = { 'config/config.default.js': 'exports.middleware = ["bodyParser"];' };
  assert.throws(() => loadApp(t, core), /Middleware bodyParser redefined/);
});

test('core 7.37 a class controller: which members are actions, and one instance for each call', async (t) => {
  const app = loadApp(t, {
    'app/controller/home.js': `let count = 0;
      class Base { inherited() { this.ctx.body = 'base'; } both() { this.ctx.body = 'base'; } }
      module.exports = class extends Base {
        constructor(ctx) { super(); this.ctx = ctx; this.number = count += 1; }
        get accessor() { return 1; }
        static helper() {}
        both() { this.ctx.body = 'own'; }
        index() { this.ctx.body = String(this.number); }
      };`,
    'app/router.js': `module.exports = ({ router, controller: { home } }) =>
      router.get('/', home.index).get('/both', home.both).get('/inherited', home.inherited);`,
  });
  assert.deepEqual(Object.keys(Reflect.get(app.controller, 'home') as object).sort(), ['both', 'index', 'inherited']);
  const ask = await serve(t, app);
  assert.equal((await ask('/both')).body, 'own');
  assert.equal((await ask('/inherited')).body, 'base');
  assert.equal(Number((await ask('/')).body) + 1, Number((await ask('/')).body));
});

test('core 7.38 a method of an object controller that takes next is refused', (t) => {
  const file = { 'app/controller/home.js': 'exports.index = function (next) { return next(); };' };
  assert.throws(() => loadApp(t, file), /controller `index` should not use next/);
});

test('core 7.39 an action gets ctx alone, with supportParams all arguments', async (t) => {
  const files = {
    'app/controller/home.js': `exports.args = function (...args) { return args.length; };
      module.exports.cls = undefined;`,
    'app/controller/other.js': 'module.exports = class { args(...args) { return args.length; } };',
  };
  const value = '[app.controller.home.args.call(ctx, ctx, 1, 2), app.controller.other.args.call(ctx, ctx, 1, 2)]';
  assert.deepEqual(await evaluate(t, value, files), [1, 1]);
  const config = { 'config/config.default.js': 'exports.controller = { supportParams: true };' };
  assert.deepEqual(await evaluate(t, value, { ...files, ...config }), [3, 3]);
});

test('core 7.40 what a controller returns is no body', async (t) => {
  const app = loadApp(t, {
    'app/controller/home.js': 'exports.index = async () => "a value";',
    'app/router.js': 'module.exports = (app) => app.get("/", "home.index");',
  });
  assert.equal((await (await serve(t, app))('/')).status, 404);
});

test('core 7.41 a service is constructed at its first use in a request, once', async (t) => {
  const app = loadApp(t, {
    'app/service/user.js': 'let made = 0; module.exports = class { constructor() { this.number = made += 1; } };',
    'app/service/idle.js': 'module.exports = class { constructor() { throw new Error("constructed"); } };',
    ...route('[ctx.service.user === ctx.service.user, ctx.service.user.number]'),
  });
  const ask = await serve(t, app);
  assert.equal((await ask('/')).body, '{"value":[true,1]}');
  assert.equal((await ask('/')).body, '{"value":[true,2]}');
});

test('core 7.42 services of directories are nested; they are in ctx.service and not enumerable', async (t) => {
  const files = {
    'app/service/a/b/c.js': 'module.exports = class { hi() { return "hi"; } };',
    'app/service/user.js': 'module.exports = class {};',
  };
  const value = '[ctx.service.a.b.c.hi(), Object.keys(ctx.service), "user" in ctx.service]';
  assert.deepEqual(await evaluate(t, value, files), ['hi', [], true]);
});

test('core 7.43 each mistake in customLoader is an error of its own', (t) => {
  const load = (entry: string) => loadApp(t, { 'config/config.default.js': `exports.customLoader = { ${entry} };` });
  assert.throws(() => load('kit: { directory: "app/kit", inject: "z" }'), /inject is "z"[\s\S]*"app" or "ctx"/);
  assert.throws(() => load('kit: {}'), /directory is required for config\.customLoader\.kit/);
  assert.throws(() => load('config: { directory: "app/kit" }'), /customLoader should not override app\.config/);
  assert.throws(
    () => load('cookies: { directory: "app/kit", inject: "ctx" }'),
    /customLoader should not override ctx\.cookies/,
  );
});
