import assert from 'node:assert/strict';
import { mkdirSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { coreLog, type Files, loadAgent, loadApp, serve, writeApp } from '../../support/loaded_app.js';
import { runScript } from '../../support/script.js';

type Tree = Record<string, unknown>;
const controllers = (t: TestContext, files: Files): Tree =>
  (loadApp(t, files) as unknown as { controller: Tree }).controller;

const NAMES: [file: string, property: string][] = [
  ['user', 'user'],
  ['FooBar', 'fooBar'],
  ['foo_bar', 'fooBar'],
  ['foo-bar', 'fooBar'],
  ['a__b', 'a_B'],
  ['a_1', 'a_1'],
  ['a1', 'a1'],
];
for (const [file, property] of NAMES) {
  test(`controller file ${file}.js is reached as ${property}`, (t) => {
    assert.deepEqual(
      Object.keys(controllers(t, { [`app/controller/${file}.js`]: 'exports.index = async () => {};' })),
      [property],
    );
  });
}

for (const file of ['_a', '1a', 'a.b', 'a b', 'é']) {
  test(`controller file "${file}.js" is refused with the segment`, (t) => {
    assert.throws(() => loadApp(t, { [`app/controller/${file}.js`]: 'exports.a = () => {};' }), {
      code: 'ERR_CLUTCH_FILE_NAME',
      message: /does not match 'a-z0-9_-' in /,
    });
  });
}

test('nested directories nest, beside a file of the same name', (t) => {
  const tree = controllers(t, {
    'app/controller/admin.js': 'exports.index = async () => {};',
    'app/controller/admin/user_role.js': 'exports.show = async () => {};',
  });
  const admin = tree['admin'] as Tree;
  assert.deepEqual(Object.keys(admin).sort(), ['index', 'userRole']);
});

test('two files with one property name are a duplicate, both named', (t) => {
  assert.throws(
    () =>
      loadApp(t, {
        'app/controller/foo_bar.js': 'exports.a = () => {};',
        'app/controller/fooBar.js': 'exports.a = () => {};',
      }),
    { code: 'ERR_CLUTCH_DUPLICATE', message: /can't overwrite property 'fooBar' from .*\.js by .*\.js/i },
  );
});

test('null and undefined exports are skipped, false and 0 are kept', (t) => {
  const app = loadApp(t, {
    'model/a.js': 'module.exports = null;',
    'model/b.js': 'module.exports = undefined;',
    'model/c.js': 'module.exports = false;',
    'model/d.js': 'module.exports = 0;',
  });
  app.loader.loadToApp(path.join(app.baseDir, 'model'), 'model');
  assert.deepEqual((app as unknown as { model: Tree }).model, { c: false, d: 0 });
});

test('loadToApp: match, ignore, filter, caseStyle, initializer, call, inject and override', (t) => {
  const app = loadApp(t, {
    'model/user.js': 'module.exports = (who) => ({ who });',
    'model/user.test.js': 'throw new Error("loaded");',
    'model/old/user.js': 'exports.old = true;',
  });
  const directory = path.join(app.baseDir, 'model');
  const at = (property: string) => (app as unknown as Record<string, Tree>)[property];
  app.loader.loadToApp(directory, 'upper', { ignore: ['*.test.js', 'old'], caseStyle: 'upper', inject: 'me' });
  assert.deepEqual(Object.keys(at('upper') as Tree), ['User']);
  assert.equal(((at('upper') as Tree)['User'] as Tree)['who'], 'me');
  app.loader.loadToApp(directory, 'raw', { match: 'user.js', call: false });
  assert.equal(typeof (at('raw') as Tree)['user'], 'function');
  app.loader.loadToApp(directory, 'made', {
    match: 'user.js',
    initializer: (_exports, file) => ({ name: file.pathName }),
  });
  assert.deepEqual((at('made') as Tree)['user'], { name: 'model.user' });
  app.loader.loadToApp(directory, 'none', { match: 'user.js', filter: () => false });
  assert.deepEqual(at('none'), {});
  app.loader.loadToApp(directory, 'custom', {
    match: 'user.js',
    caseStyle: (file) => [`x_${path.basename(file, '.js')}`],
  });
  assert.deepEqual(Object.keys(at('custom') as Tree), ['x_user']);
  const both = [directory, path.join(directory, 'old')];
  assert.throws(() => app.loader.loadToApp(both, 'twice', { match: 'user.js' }), { code: 'ERR_CLUTCH_DUPLICATE' });
  app.loader.loadToApp(both, 'last', { match: 'user.js', override: true });
  assert.equal(((at('last') as Tree)['user'] as Tree)['old'], true);
  app.loader.loadToApp(path.join(directory, 'nowhere'), 'empty');
  assert.deepEqual(at('empty'), {});
});

test('a service is made once per request, at first use, and reached by its path', async (t) => {
  const app = loadApp(t, {
    'app/service/user.js':
      'global.made = 0; module.exports = class { constructor(ctx) { global.made++; this.ctx = ctx; } };',
    'app/service/a/b/c.js':
      'const { Service } = require("egg"); module.exports = class extends Service { name() { return this.pathName; } };',
    'app/service/broken.js': 'module.exports = class { constructor() { throw new Error("no socket"); } };',
  });
  const made = () => (globalThis as unknown as { made: number }).made;
  const first = app.createAnonymousContext() as unknown as { service: Record<string, never> };
  assert.equal(made(), 0);
  assert.equal(first.service['user'], first.service['user']);
  assert.equal(made(), 1);
  const second = app.createAnonymousContext() as unknown as { service: Record<string, never> };
  assert.notEqual(first.service['user'], second.service['user']);
  assert.equal((first.service['a'] as never as { b: { c: { name(): string } } }).b.c.name(), 'service.a.b.c');
  assert.deepEqual(Object.keys(first.service), []);
  assert.ok('user' in first.service);
  assert.throws(() => first.service['broken'], /no socket/);
});

test('a service of plugin and app with one name is a duplicate; a middleware is the app’s', async (t) => {
  const files = {
    'config/plugin.js': `exports.p = { path: require('path').join(__dirname, '../p') };`,
    'p/package.json': '{ "name": "egg-p", "eggPlugin": { "name": "p" } }',
  };
  const service = {
    'p/app/service/user.js': 'module.exports = class {};',
    'app/service/user.js': 'module.exports = class {};',
  };
  assert.throws(() => loadApp(t, { ...files, ...service }), { code: 'ERR_CLUTCH_DUPLICATE' });
  const middleware = (from: string) => `module.exports = () => async (ctx, next) => { ctx.body = '${from}'; };`;
  const app = loadApp(t, {
    ...files,
    'p/app/middleware/who.js': middleware('plugin'),
    'app/middleware/who.js': middleware('app'),
    'config/config.default.js': 'exports.middleware = ["who"];',
  });
  assert.equal((await (await serve(t, app))('/')).body, 'app');
});

test('extends add values, accessors and symbols, for the env last', async (t) => {
  const app = loadApp(t, {
    'app/extend/application.js':
      'module.exports = { [Symbol.for("x")]: 1, get twice() { return this.config.n * 2; } };',
    'config/config.default.js': 'exports.n = 21;',
    'app/extend/context.js': 'module.exports = { who: "plain", get size() { return this.path.length; } };',
    'app/extend/context.unittest.js': 'module.exports = { who: "env" };',
    'app/extend/request.js': 'module.exports = class { get shout() { return this.path.toUpperCase(); } };',
    'app/extend/response.js': 'module.exports = { tag: "r" };',
    'app/extend/helper.js': 'exports.double = function (n) { return this.ctx ? n * 2 : 0; };',
    'app/router.js': `module.exports = (app) => app.get('/a', async (ctx) => {
      ctx.body = [ctx.who, ctx.size, ctx.request.shout, ctx.response.tag, ctx.helper.double(4)];
    });`,
  }) as unknown as ReturnType<typeof loadApp> & Record<PropertyKey, unknown>;
  assert.equal(app[Symbol.for('x')], 1);
  assert.equal(app['twice'], 42);
  assert.equal((await (await serve(t, app))('/a')).body, JSON.stringify(['env', 2, '/A', 'r', 8]));
});

test('a plugin’s env extend beats the app’s plain extend', (t) => {
  const app = loadApp(t, {
    'config/plugin.js': `exports.p = { path: require('path').join(__dirname, '../p') };`,
    'p/package.json': '{ "name": "egg-p", "eggPlugin": { "name": "p" } }',
    'p/app/extend/application.unittest.js': 'exports.who = "plugin env";',
    'app/extend/application.js': 'exports.who = "app";',
  });
  assert.equal((app as unknown as { who: string }).who, 'plugin env');
});

test('half an accessor keeps the other half; a value in place of an accessor is refused', (t) => {
  const app = loadApp(t, {
    'app/extend/context.js': 'module.exports = { set body(v) { this.response.body = { v }; } };',
  });
  const ctx = app.createAnonymousContext();
  ctx.body = 1;
  assert.deepEqual(ctx.body, { v: 1 });
  assert.throws(() => loadApp(t, { 'app/extend/context.js': 'module.exports = { body: 1 };' }), {
    code: 'ERR_CLUTCH_EXTEND',
    message: /body is a getter or setter[\s\S]*context\.js/,
  });
});

test('an extend file that is no object is refused', (t) => {
  assert.throws(() => loadApp(t, { 'app/extend/context.js': 'module.exports = 5;' }), {
    code: 'ERR_CLUTCH_EXTEND',
    message: /context\.js exports number/,
  });
});

test('customLoader loads into the app and into contexts', (t) => {
  const app = loadApp(t, {
    'config/config.default.js': `exports.customLoader = {
      adapter: { directory: 'app/adapter' },
      repository: { directory: 'app/repository', inject: 'ctx' },
    };`,
    'app/adapter/docker.js': 'module.exports = class { constructor(app) { this.name = app.name; } };',
    'app/repository/user.js': 'module.exports = class { constructor(ctx) { this.ctx = ctx; } };',
  }) as unknown as ReturnType<typeof loadApp> & { adapter: { docker: { name: string } } };
  assert.equal(app.adapter.docker.name, 'demo');
  const ctx = app.createAnonymousContext() as unknown as { repository: { user: { ctx: object } } };
  assert.equal(ctx.repository.user.ctx, ctx);
});

const WRONG_LOADERS: [entry: string, pattern: RegExp][] = [
  ['{ x: { directory: "a", inject: "z" } }', /inject is "z"/],
  ['{ x: {} }', /directory is required for config\.customLoader\.x/],
  ['{ config: { directory: "a" } }', /customLoader should not override app\.config/],
  ['{ cookies: { directory: "a", inject: "ctx" } }', /customLoader should not override ctx\.cookies/],
];
for (const [entry, message] of WRONG_LOADERS) {
  test(`customLoader ${entry} is refused`, (t) => {
    assert.throws(() => loadApp(t, { 'config/config.default.js': `exports.customLoader = ${entry};` }), {
      code: 'ERR_CLUTCH_CUSTOM_LOADER',
      message,
    });
  });
}

test('loadFile calls functions with what is given, or with the app', (t) => {
  const app = loadApp(t, { 'f.js': 'module.exports = (...args) => args;', 'o.js': 'exports.a = 1;', 't.txt': 'text' });
  const at = (name: string) => path.join(app.baseDir, name);
  assert.deepEqual(app.loader.loadFile(at('f')), [app]);
  assert.deepEqual(app.loader.loadFile(at('f'), 1, 2), [1, 2]);
  assert.deepEqual(app.loader.loadFile(at('o')), { a: 1 });
  assert.equal(app.loader.loadFile(at('nowhere')), null);
  assert.equal(String(app.loader.loadFile(at('t.txt'))), 'text');
  assert.equal(app.loader.resolveModule(at('nowhere')), undefined);
});

test('an ES module app, a CommonJS plugin and a .mjs file load side by side', async (t) => {
  const app = loadApp(t, {
    'package.json': '{ "name": "demo", "type": "module" }',
    'config/config.default.js': 'export default (info) => ({ middleware: ["mark"], v: info.name });',
    'config/plugin.js': `import path from 'node:path'; export const p = { path: path.join(import.meta.dirname, '../p') };`,
    'p/package.json': '{ "name": "egg-p", "eggPlugin": { "name": "p" }, "type": "commonjs" }',
    'p/app/extend/context.js': 'module.exports = { fromPlugin: true };',
    'app/middleware/mark.mjs': 'export default () => async (ctx, next) => { await next(); ctx.set("x-mark", "1"); };',
    'app/controller/home.js': `import { Controller } from 'koa-clutch';
      export default class extends Controller { async index() { this.ctx.body = [this.config.v, this.ctx.fromPlugin]; } }`,
    'app/router.js': 'export default (app) => { app.get("/", "home.index"); };',
  });
  const answer = await (await serve(t, app))('/');
  assert.equal(answer.body, '["demo",true]');
  assert.equal(answer.headers['x-mark'], '1');
});

test('a module with top-level await is refused with what to do', (t) => {
  assert.throws(
    () =>
      loadApp(t, {
        'package.json': '{ "name": "demo", "type": "module" }',
        'app/service/slow.js': 'await 1; export default class {}',
      }),
    { code: 'ERR_CLUTCH_TOP_LEVEL_AWAIT', message: /slow\.js[\s\S]*lifecycle hook/ },
  );
});

test('a file that throws is named, and its error is the cause', (t) => {
  assert.throws(
    () => loadApp(t, { 'app/service/user.js': 'throw new TypeError("no");' }),
    (error: Error & { code: string }) => {
      assert.equal(error.code, 'ERR_CLUTCH_MODULE');
      assert.match(error.message, /load file: .*app\/service\/user\.js, error: no/);
      assert.ok(error.cause instanceof TypeError);
      return true;
    },
  );
});

test('app.js of another kind is ignored with a warning', (t) => {
  assert.match(
    coreLog(loadApp(t, { 'app.js': 'module.exports = { a: 1 };' })),
    /app\.js must export a class or a function/,
  );
});

test('the Agent loads agent.js and context extends, and nothing of HTTP', (t) => {
  const agent = loadAgent(t, {
    'agent.js': 'module.exports = (agent) => { agent.seen = true; };',
    'app/extend/agent.js': 'exports.extended = 1;',
    'app/extend/context.js': 'exports.who = "ctx";',
    'app/service/user.js': 'throw new Error("loaded");',
    'app/router.js': 'throw new Error("loaded");',
  }) as unknown as ReturnType<typeof loadAgent> & Record<string, unknown>;
  assert.equal(agent['seen'], true);
  assert.equal(agent['extended'], 1);
  const ctx = agent.createAnonymousContext() as unknown as Record<string, unknown>;
  assert.equal(ctx['who'], 'ctx');
  assert.equal(ctx['service'], undefined);
});

test('a directory without files loads as empty', (t) => {
  const app = loadApp(t, {});
  mkdirSync(path.join(app.baseDir, 'empty'));
  app.loader.loadToApp(path.join(app.baseDir, 'empty'), 'empty');
  assert.deepEqual((app as unknown as { empty: object }).empty, {});
});

const TWO_DIRECTORIES = {
  'one/user.js': 'exports.from = "one";',
  'one/admin/role.js': 'exports.from = "one";',
  'two/group.js': 'exports.from = "two";',
  'two/admin/right.js': 'exports.from = "two";',
  'three/user.js': 'exports.from = "three";',
};

test('a second load into a property of app adds to it; a clash names both files', (t) => {
  const app = loadApp(t, TWO_DIRECTORIES) as ReturnType<typeof loadApp> & { model: Tree };
  const load = (dir: string): void => app.loader.loadToApp(path.join(app.baseDir, dir), 'model');
  load('one');
  load('two');
  load('one');
  assert.deepEqual(app.model, {
    user: { from: 'one' },
    group: { from: 'two' },
    admin: { role: { from: 'one' }, right: { from: 'two' } },
  });
  assert.throws(() => load('three'), { code: 'ERR_CLUTCH_DUPLICATE', message: /one\/user\.js by .*three\/user\.js/ });
});

test('a second load into a property of ctx adds to it; a clash names both files', (t) => {
  const app = loadApp(t, TWO_DIRECTORIES) as ReturnType<typeof loadApp> & { models: Tree };
  const load = (dir: string): void =>
    app.loader.loadToContext(path.join(app.baseDir, dir), 'model', { fieldClass: 'models' });
  load('one');
  load('two');
  const { model } = app.createAnonymousContext() as unknown as { model: Record<string, Record<string, Tree>> };
  assert.equal(model['user']?.['from'], 'one');
  assert.equal(model['group']?.['from'], 'two');
  assert.equal(model['admin']?.['role']?.['from'], 'one');
  assert.equal(model['admin']?.['right']?.['from'], 'two');
  assert.deepEqual(Object.keys(app.models).sort(), ['admin', 'group', 'user']);
  assert.throws(() => load('three'), { code: 'ERR_CLUTCH_DUPLICATE', message: /one\/user\.js by .*three\/user\.js/ });
});

test('services and controllers of a directory that a plugin loads itself are beside those of the app', (t) => {
  const app = loadApp(t, {
    'config/plugin.js': `exports.p = { path: require('path').join(__dirname, '../p') };`,
    'p/package.json': '{ "name": "egg-p", "eggPlugin": { "name": "p" } }',
    'p/app.js': `const path = require('path');
      module.exports = class {
        constructor(app) { this.app = app; }
        didLoad() {
          const { loader } = this.app;
          loader.loadController({ directory: path.join(__dirname, 'api') });
          loader.loadService({ directory: path.join(__dirname, 'jobs') });
        }
      };`,
    'p/api/health.js': 'exports.show = async () => {};',
    'p/jobs/mail.js': 'module.exports = class { name() { return "mail"; } };',
    'app/controller/home.js': 'exports.index = async () => {};',
    'app/service/user.js': 'module.exports = class { name() { return "user"; } };',
  });
  return app.ready().then(() => {
    assert.deepEqual(Object.keys(app.controller).sort(), ['health', 'home']);
    const { service } = app.createAnonymousContext() as unknown as { service: Record<string, { name(): string }> };
    assert.equal(service['mail']?.name(), 'mail');
    assert.equal(service['user']?.name(), 'user');
  });
});

test('loadToApp refuses a property that holds something else', (t) => {
  const app = loadApp(t, TWO_DIRECTORIES);
  assert.throws(() => app.loader.loadToApp(path.join(app.baseDir, 'one'), 'logger'), {
    code: 'ERR_CLUTCH_DUPLICATE',
    message: /app\.logger exists already and cannot hold loaded files[\s\S]*\/one/,
  });
});

test('a .js that is older than the .ts beside it is warned about, once', async (t) => {
  const names = ['app/service/a', 'app/service/b'];
  const baseDir = writeApp(
    t,
    Object.fromEntries(
      names.flatMap((name) => [
        [`${name}.js`, ''],
        [`${name}.ts`, ''],
      ]),
    ),
  );
  const script = "import { start } from 'koa-clutch'; await (await start()).close();";
  const fresh = await runScript(t, baseDir, script);
  assert.doesNotMatch(fresh.output, /is older than/);
  for (const name of names) utimesSync(path.join(baseDir, `${name}.js`), 1e9, 1e9);
  const { code, output } = await runScript(t, baseDir, script);
  assert.equal(code, 0, output);
  assert.equal(output.match(/service\/a\.js is loaded, and is older than .*service\/a\.ts/g)?.length, 1, output);
  assert.doesNotMatch(output, /b\.js/);
});

test('a property of ctx that holds something else cannot hold loaded files', (t) => {
  const app = loadApp(t, { 'one/user.js': 'module.exports = { name: "user" };' });
  const one = path.join(app.baseDir, 'one');
  for (const property of ['body', 'session', 'app', 'get', 'logger']) {
    assert.throws(() => app.loader.loadToContext(one, property), {
      code: 'ERR_CLUTCH_DUPLICATE',
      message: new RegExp(`ctx\\.${property} exists already`),
    });
  }
  app.loader.loadToContext(one, 'store');
  app.loader.loadToContext(one, 'store', { override: true });
});

test('TypeScript of each kind that this process cannot load is named, not left out', {
  skip: (process.features as { typescript?: unknown }).typescript ? 'this Node loads TypeScript' : false,
}, (t) => {
  for (const extension of ['ts', 'mts', 'cts']) {
    const files = { [`app/service/user.${extension}`]: 'export default class {}' };
    assert.throws(() => loadApp(t, files), {
      code: 'ERR_CLUTCH_NOT_COMPILED',
      message: new RegExp(`user\\.${extension}`),
    });
  }
});
