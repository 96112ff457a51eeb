import assert from 'node:assert/strict';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setEnvironment } from '../support/environment.js';
import { type Files, loadApp, serve } from '../support/loaded_app.js';
import { declare, plugin } from '../support/plugin_files.js';
import { logged, serveRoutes } from '../support/served_app.js';

const QUIET: Files = { 'config/config.unittest.js': 'exports.logger = { consoleLevel: "NONE" };' };
const member = (object: object, name: string | symbol): never => Reflect.get(object, name) as never;

test('core 2.5.targets each extend file adds to its own object', (t) => {
  const names = ['application', 'request', 'response', 'context', 'helper'];
  const app = loadApp(t, {
    ...QUIET,
    ...Object.fromEntries(names.map((name) => [`app/extend/${name}.js`, `exports.who = '${name}';`])),
  });
  const ctx = app.createAnonymousContext();
  const targets = [app, ctx.request, ctx.response, ctx, new app.Helper(ctx)];
  assert.deepEqual(
    targets.map((target) => member(target, 'who')),
    names,
  );
});

test('core 2.5.descriptors symbols and members that are not enumerable are copied', (t) => {
  const app = loadApp(t, {
    ...QUIET,
    'app/extend/application.js': `module.exports = { [Symbol.for('mine')]: 1, get lazy() { return this.name; } };
      Object.defineProperty(module.exports, 'hidden', { value: 2 });`,
  });
  assert.deepEqual([member(app, Symbol.for('mine')), member(app, 'lazy'), member(app, 'hidden')], [1, 'demo', 2]);
});

test('core 2.5.mock EGG_MOCK_SERVER_ENV adds the files of unittest', (t) => {
  setEnvironment(t, { EGG_MOCK_SERVER_ENV: 'prod' });
  const files = {
    'config/config.default.js': 'exports.logger = { consoleLevel: "NONE" };',
    'app/extend/application.unittest.js': 'exports.who = "test";',
  };
  assert.equal(member(loadApp(t, files, { env: 'local' }), 'who'), 'test');
});

test('core 2.5.accessors a getter alone keeps the setter of Koa, an accessor replaces a method', (t) => {
  const app = loadApp(t, {
    ...QUIET,
    'app/extend/request.js': 'module.exports = { get query() { return "mine"; }, get inspect() { return "getter"; } };',
  });
  const { request } = app.createAnonymousContext();
  assert.deepEqual([request.query, request.inspect], ['mine', 'getter']);
  request.query = { a: '1' } as never;
  assert.equal(request.querystring, 'a=1');
});

test('core 2.5.index app/extend/context/index.js works', (t) => {
  const app = loadApp(t, { ...QUIET, 'app/extend/context/index.js': 'exports.who = "index";' });
  assert.equal(member(app.createAnonymousContext(), 'who'), 'index');
});

test('core 2.6.classes and functions of app.js are told apart, other exports are a warning', async (t) => {
  const app = loadApp(t, {
    ...QUIET,
    ...declare({ a: {}, b: {} }),
    ...plugin('a', {}, { 'app.js': 'module.exports = (app) => { app.ran = ["function"]; };' }),
    ...plugin('b', {}, { 'app.js': 'module.exports = { none: true };' }),
    'app.js':
      'module.exports = class { constructor(app) { this.app = app; } configDidLoad() { this.app.ran.push("class"); } };',
  });
  assert.deepEqual(member(app, 'ran'), ['function', 'class']);
  await logged(app, 'egg-web.log', /WARN .*plugins\/b\/app/);
});

test('core 2.7.exports compiled ES modules give their default', (t) => {
  const app = loadApp(t, {
    ...QUIET,
    'app/service/a.js': "exports.__esModule = true; exports.default = class { name() { return 'default'; } };",
    'app/service/b.mjs': 'export const none = 1;',
  });
  const { a } = app.createAnonymousContext().service as never as { a: { name(): string } };
  assert.equal(a.name(), 'default');
});

test('core 2.7.marks what is loaded knows its file', (t) => {
  const app = loadApp(t, {
    ...QUIET,
    'kit/a/b.js': 'module.exports = class {};',
    'kit/c.js': 'module.exports = { d() {} };',
  });
  app.loader.loadToApp(path.join(app.baseDir, 'kit'), 'kit');
  const kit = member(app, 'kit') as { a: { b: { prototype: object } }; c: object };
  assert.equal(member(kit.a.b.prototype, 'pathName'), 'kit.a.b');
  assert.equal(member(kit.a.b.prototype, 'fullPath'), path.join(app.baseDir, 'kit/a/b.js'));
  const { FULLPATH } = app.loader.FileLoader as never as { FULLPATH: symbol };
  assert.equal(member(kit.c, FULLPATH), path.join(app.baseDir, 'kit/c.js'));
});

/** Loads files into `ctx.kit`. */
function kit(t: TestContext, files: Files) {
  const app = loadApp(t, {
    ...QUIET,
    ...Object.fromEntries(Object.entries(files).map(([name, text]) => [`kit/${name}`, text])),
  });
  app.loader.loadToContext(path.join(app.baseDir, 'kit'), 'kit', { fieldClass: 'kitClasses' } as never);
  return { app, kitOf: () => member(app.createAnonymousContext(), 'kit') as Record<string, never> };
}

test('core 2.8.exports classes are constructed, everything else is as it is', (t) => {
  const { app, kitOf } = kit(t, {
    'one.js': 'module.exports = class { constructor(ctx) { this.ctx = ctx; } };',
    'two.js': 'exports.a = 1;',
    'three.js': 'module.exports = async () => 3;',
    'four.js': 'module.exports = 4;',
    'dir/five.js': 'module.exports = class {};',
  });
  const first = kitOf();
  assert.equal(typeof member(first['one'] as never, 'ctx'), 'object');
  assert.deepEqual([member(first['two'] as never, 'a'), typeof first['three'], first['four']], [1, 'function', 4]);
  assert.deepEqual([Object.keys(first['dir'] as never), 'five' in (first['dir'] as never as object)], [[], true]);
  assert.notEqual(first['one'], kitOf()['one']);
  assert.equal(typeof (member(app, 'kitClasses') as { one: unknown }).one, 'function');
});

test('core 2.8.constructor errors come when the class is used', (t) => {
  const { kitOf } = kit(t, {
    'bad.js': 'module.exports = class { constructor() { throw new Error("in the constructor"); } };',
  });
  const loaded = kitOf();
  assert.throws(() => loaded['bad'], /in the constructor/);
});

test('core 2.8.properties two of them have caches of their own', (t) => {
  const { app } = kit(t, { 'one.js': 'module.exports = class {};' });
  app.loader.loadToContext(path.join(app.baseDir, 'kit'), 'other');
  const ctx = app.createAnonymousContext();
  assert.notEqual(member(member(ctx, 'kit'), 'one'), member(member(ctx, 'other'), 'one'));
});

test('core 2.9.factory of middleware gets config and app, and must return a function', (t) => {
  const config = { 'config/config.default.js': 'exports.middleware = ["mark"]; exports.mark = { a: 1 };' };
  const app = loadApp(t, {
    ...QUIET,
    ...config,
    'app/middleware/mark.js':
      'module.exports = (options, app) => { app.given = options; return (ctx, next) => next(); };',
  });
  assert.deepEqual(member(app, 'given'), { a: 1 });
  assert.throws(
    () => loadApp(t, { ...QUIET, ...config, 'app/middleware/mark.js': 'module.exports = async () => {};' }),
    /mark/,
  );
  assert.throws(() => loadApp(t, { ...QUIET, ...config }), /Middleware mark not found/);
});

test('core 2.9.match may be a RegExp or a function', async (t) => {
  const { ask } = await serveRoutes(
    t,
    'app.all(/.*/, (ctx) => { ctx.body = [...(ctx.marks ?? [])].join(); });',
    `exports.middleware = ['one', 'two', 'three']; exports.one = { match: /^\\/a/g }; exports.two = { ignore: (ctx) => ctx.get('x-no') === 'two' };
     exports.three = { match: '' };`,
    Object.fromEntries(
      ['one', 'two', 'three'].map((name) => [
        `app/middleware/${name}.js`,
        `module.exports = () => (ctx, next) => { (ctx.marks ??= []).push('${name}'); return next(); };`,
      ]),
    ),
  );
  assert.equal((await ask('/a')).body, 'one,two,three');
  assert.equal((await ask('/a', { headers: { 'x-no': 'two' } })).body, 'one,three');
  assert.equal((await ask('/b')).body, 'two,three');
});

test('core 2.9.name of a middleware is on its function', (t) => {
  const app = loadApp(t, {
    ...QUIET,
    'config/config.default.js': 'exports.middleware = ["mark"];',
    'app/middleware/mark.js': 'module.exports = () => function mine(ctx, next) { return next(); };',
  });
  assert.ok(app.middleware.some((middleware) => member(middleware, '_name') === 'mark'));
});

test('core 2.9.controller functions are called with app, nested objects are walked, other values are dropped', async (t) => {
  const { app, ask } = await serveRoutes(
    t,
    "app.get('/a', app.controller.admin.home.index); app.get('/b', 'admin.home.deep.show');",
    '',
    {
      'app/controller/admin/home.js': `module.exports = (app) => ({ text: 'none',
        async index(ctx) { ctx.body = [app.name, this === ctx, arguments.length]; },
        deep: { async show(ctx) { ctx.body = 'deep'; } } });`,
    },
  );
  assert.equal((await ask('/a')).body, '["demo",true,1]');
  assert.equal((await ask('/b')).body, 'deep');
  const home = member(member(app.controller, 'admin'), 'home');
  assert.equal(member(home, 'text'), undefined);
  assert.equal((member(home, 'index') as { name: string }).name, 'objectControllerMiddleware');
});

test('core 2.9.router a directory with an index works', async (t) => {
  const app = loadApp(t, {
    ...QUIET,
    'app/router/index.js': "module.exports = (app) => app.get('/', (ctx) => { ctx.body = 'index'; });",
  });
  const ask = await serve(t, app);
  assert.equal((await ask('/')).body, 'index');
});

const custom = (t: TestContext, options: string, files: Files = {}) =>
  loadApp(t, { ...QUIET, 'config/config.default.js': `exports.customLoader = { kit: ${options} };`, ...files });

test('core 2.10.app classes are constructed with app', (t) => {
  const app = custom(t, '{ directory: "app/kit" }', {
    'app/kit/One.js': 'module.exports = class { constructor(app) { this.app = app; } };',
  });
  assert.equal((member(app, 'kit') as { one: { app: unknown } }).one.app, app);
});

test('core 2.10.ctx classes are constructed with ctx', (t) => {
  const app = custom(t, '{ directory: "app/kit", inject: "ctx" }', {
    'app/kit/one.js': 'module.exports = class { constructor(ctx) { this.ctx = ctx; } };',
  });
  const ctx = app.createAnonymousContext();
  assert.equal((member(ctx, 'kit') as { one: { ctx: unknown } }).one.ctx, ctx);
  assert.equal(typeof (member(app, 'kitClasses') as { one: unknown }).one, 'function');
});

test('core 2.10.loadunit takes the directory of every load unit', (t) => {
  const app = custom(t, '{ directory: "app/kit", loadunit: true }', {
    ...declare({ a: {} }),
    ...plugin('a', {}, { 'app/kit/two.js': 'module.exports = { of: "plugin" };' }),
    'app/kit/one.js': 'module.exports = { of: "app" };',
  });
  assert.deepEqual(Object.keys(member(app, 'kit')).sort(), ['one', 'two']);
});

test('core 2.12.methods start, end, clear, toJSON and toString of the timeline', (t) => {
  const { timing } = loadApp(t, QUIET);
  timing.start('mine');
  timing.end('mine');
  const item = timing.toJSON().find(({ name }) => name === 'mine');
  assert.deepEqual(Object.keys(item ?? {}).sort(), ['duration', 'end', 'index', 'name', 'pid', 'start']);
  assert.throws(() => timing.end('none'), /should run timing\.start\('none'\) first/);
  timing.start('again');
  timing.start('again');
  assert.equal(typeof timing.toJSON().find(({ name }) => name === 'again')?.end, 'number');
  assert.match(timing.toString('> ', 20), /> .*#\d+ mine/);
  timing.clear();
  assert.deepEqual(timing.toJSON(), []);
  timing.disable();
  assert.equal(timing.start('off'), null);
});

const STEPS = [
  ...['Process Start', 'Application Start', 'Load Plugin', 'Load Config', 'Load extend/context.js', 'Load app.js'],
  ...['Load Service', 'Load "service" to Context', 'Load Middleware', 'Load Controller', 'Load Router'],
];
for (const step of STEPS) {
  const row = step.replaceAll(/\W+/g, '_').toLowerCase();
  test(`core 2.12.${row} is in the timeline`, (t) => {
    const names = loadApp(t, QUIET)
      .timing.toJSON()
      .map(({ name }) => name);
    assert.ok(names.includes(step), `${step}: ${names.join(', ')}`);
  });
}

test('core 2.12.hooks and tasks are in the timeline by the file that they come from', async (t) => {
  const app = loadApp(t, {
    ...QUIET,
    'app.js': `module.exports = class { constructor(app) { this.app = app; }
      configDidLoad() { this.app.beforeStart(async () => {}); this.app.readyCallback('kit')(); }
      async didLoad() {} async willReady() {} };`,
  });
  await app.ready();
  const names = app.timing.toJSON().map(({ name }) => name);
  for (const name of [
    /^Did Load in .*app\.js:didLoad$/,
    /^Before Start in .*app\.js:2:\d+$/,
    /^Will Ready in .*app\.js:willReady$/,
    /^readyCallback in kit$/,
  ]) {
    assert.ok(
      names.some((each) => name.test(each)),
      `${name}: ${names.join(', ')}`,
    );
  }
});
