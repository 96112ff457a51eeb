import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { setEnvironment } from '../support/environment.js';
import { type Files, frameworkAt, loadApp, writeApp } from '../support/loaded_app.js';
import { declare, plugin, pluginNames } from '../support/plugin_files.js';
import { runScript } from '../support/script.js';
import { logged } from '../support/served_app.js';

const QUIET: Files = { 'config/config.unittest.js': 'exports.logger = { consoleLevel: "NONE" };' };

test('core 2.2.units are plugins in their order, frameworks and the app', (t) => {
  const app = loadApp(t, {
    ...QUIET,
    ...declare({ a: {}, b: {} }),
    ...plugin('a', { dependencies: ['b'] }),
    ...plugin('b'),
  });
  const units = app.loader.getLoadUnits();
  const own = units.filter(({ path: dir, type }) => type !== 'plugin' || dir.startsWith(app.baseDir));
  assert.deepEqual(
    own.map(({ path: dir, type }) => [type, path.basename(dir)]),
    [
      ['plugin', 'b'],
      ['plugin', 'a'],
      ['framework', 'framework'],
      ['app', path.basename(app.baseDir)],
    ],
  );
  assert.equal(app.loader.getLoadUnits(), units);
});

test('core 2.2.order extends and app.js come before services, these before controllers and the router', (t) => {
  const note = (name: string, rest: string): string => `(globalThis.order ??= []).push('${name}'); ${rest}`;
  loadApp(t, {
    ...QUIET,
    'app/extend/application.js': note('application', ''),
    'app/extend/request.js': note('request', ''),
    'app/extend/response.js': note('response', ''),
    'app/extend/context.js': note('context', ''),
    'app/extend/helper.js': note('helper', ''),
    'config/config.default.js': 'exports.customLoader = { kit: { directory: "app/kit" } };',
    'app/kit/a.js': note('customLoader', 'module.exports = {};'),
    'app.js': note('app.js', `module.exports = (app) => { ${note('configDidLoad', '')} };`),
    'app/service/a.js': note('service', 'module.exports = class {};'),
    'app/middleware/a.js': note('middleware', 'module.exports = () => (ctx, next) => next();'),
    'app/controller/a.js': note('controller', 'module.exports = {};'),
    'app/router.js': note('router', ''),
  });
  assert.deepEqual(Reflect.get(globalThis, 'order'), [
    ...['application', 'request', 'response', 'context', 'helper', 'customLoader', 'app.js', 'configDidLoad'],
    ...['service', 'middleware', 'controller', 'router'],
  ]);
});

test('core 2.3.files are read for frameworks first, then for the app; plugins have none', (t) => {
  const framework = writeApp(t, {
    ...declare({ a: { enable: false } }),
    ...plugin('a'),
    ...declare({ b: {} }, 'config/plugin.unittest.js'),
    ...plugin('b'),
  });
  const app = loadApp(
    t,
    {
      ...QUIET,
      ...declare({ c: {} }, 'config/plugin.default.js'),
      ...plugin('c', {}, { 'config/plugin.js': 'module.exports = { none: true };' }),
    },
    { as: frameworkAt(framework) },
  );
  assert.deepEqual(pluginNames(app).sort(), ['b', 'c']);
  const { eggPlugins, appPlugins, customPlugins, allPlugins } = app.loader as never as Record<
    string,
    Record<string, object>
  >;
  assert.ok(eggPlugins?.['a'] && eggPlugins['b'] && appPlugins?.['c'] && allPlugins?.['a'] && customPlugins);
  assert.equal(Reflect.get(allPlugins['a'] as object, 'enable'), false);
});

test('core 2.3.entry a boolean or an object becomes a plugin with all of its fields', (t) => {
  const app = loadApp(t, {
    ...QUIET,
    'config/plugin.js': `exports.session = false; exports.a = { path: __dirname + '/../plugins/a', dep: ['b'] };
    exports.b = { path: __dirname + '/../plugins/b' };`,
    ...plugin('a'),
    ...plugin('b'),
  });
  const { session, a } = app.loader.allPlugins;
  assert.deepEqual([session?.name, session?.enable], ['session', false]);
  assert.deepEqual(
    [a?.name, a?.enable, a?.dependencies, a?.optionalDependencies, a?.env, a?.version],
    ['a', true, ['b'], [], [], '1.0.0'],
  );
  assert.equal(a?.from, path.join(app.baseDir, 'config/plugin.js'));
});

test('core 2.3.merge a later path replaces an earlier package, an empty list replaces nothing', (t) => {
  const files = {
    ...QUIET,
    'config/plugin.default.js': `exports.a = { package: 'no-such-package', env: ['unittest'], optionalDependencies: ['b'] };`,
    'config/plugin.unittest.js': `exports.a = { path: __dirname + '/../plugins/a', env: [], enable: undefined };`,
    ...plugin('a'),
  };
  const { a } = loadApp(t, files).loader.allPlugins;
  assert.deepEqual([a?.package, a?.env, a?.enable, a?.optionalDependencies], [undefined, ['unittest'], true, ['b']]);
});

test('core 2.3.package is found in the app, in frameworks and in the current directory', (t) => {
  const inModules = (name: string): Files => ({
    [`node_modules/${name}/package.json`]: JSON.stringify({ name, eggPlugin: { name: name.slice(4) } }),
  });
  const framework = writeApp(t, { 'config/plugin.js': 'exports.b = { package: "egg-b" };', ...inModules('egg-b') });
  const app = loadApp(
    t,
    { ...QUIET, 'config/plugin.js': 'exports.a = { package: "egg-a" };', ...inModules('egg-a') },
    { as: frameworkAt(framework) },
  );
  assert.deepEqual(pluginNames(app).sort(), ['a', 'b']);
  const { lookupDirs } = app.loader as never as { lookupDirs: Iterable<string> };
  assert.deepEqual([...lookupDirs], [app.baseDir, framework, path.resolve('dist/framework'), process.cwd()]);
  assert.throws(
    () => loadApp(t, { ...QUIET, 'config/plugin.js': 'exports.c = { package: "egg-c" };' }),
    /Can not find plugin egg-c in/,
  );
});

test('core 2.3.eggPlugin a plugin without it, or with another name, is warned about', async (t) => {
  const files = {
    ...QUIET,
    ...declare({ a: {} }),
    'plugins/a/package.json': '{ "name": "egg-a", "version": "1.0.0" }',
  };
  await logged(loadApp(t, files), 'egg-web.log', /WARN .*no "eggPlugin"/);
});

test('core 2.3.implicit a disabled dependency is on with what it needs, and marked', (t) => {
  const framework = writeApp(t, {
    ...declare({ b: { enable: false }, c: { enable: false } }),
    ...plugin('b', { dependencies: ['c'] }),
    ...plugin('c'),
  });
  const app = loadApp(
    t,
    { ...QUIET, ...declare({ a: {} }), ...plugin('a', { dependencies: ['b'] }) },
    { as: frameworkAt(framework) },
  );
  assert.deepEqual(pluginNames(app), ['c', 'b', 'a']);
  const { b, c } = app.loader.allPlugins;
  assert.deepEqual([b?.implicitEnable, c?.implicitEnable, c?.dependents], [true, true, ['b']]);
});

test('core 2.3.unchecked dependencies of a disabled plugin are not looked at', (t) => {
  const app = loadApp(t, {
    ...QUIET,
    ...declare({ a: { enable: false } }),
    ...plugin('a', { dependencies: ['nobody'] }),
  });
  assert.deepEqual(pluginNames(app), []);
});

test('core 2.4.preload functions of plugins get the config of the app, those of the app get none', (t) => {
  const app = loadApp(t, {
    ...declare({ a: {} }),
    ...plugin(
      'a',
      {},
      { 'config/config.default.js': 'module.exports = (info, app) => ({ seen: [info.name, app.mine, app.ofTest] });' },
    ),
    'config/config.default.js': 'module.exports = (info, app) => ({ mine: 1, second: String(app) });',
    'config/config.unittest.js': 'exports.ofTest = 2; exports.logger = { consoleLevel: "NONE" };',
  });
  assert.deepEqual([app.config['seen'], app.config['second']], [['demo', 1, 2], 'undefined']);
});

test('core 2.4.file may be JSON, a class or nothing', (t) => {
  const app = loadApp(t, {
    ...declare({ a: {}, b: {} }),
    ...plugin('a', {}, { 'config/config.default.js': 'module.exports = class { static fromClass = 1; };' }),
    ...plugin('b', {}, { 'config/config.default.js': 'module.exports = () => null;' }),
    'config/config.default.json': '{ "fromJson": 1 }',
    ...QUIET,
  });
  assert.deepEqual([app.config['fromJson'], app.config['fromClass']], [1, 1]);
});

test('core 2.4.EGG_APP_CONFIG wins, and is ignored with a warning when it is no JSON', async (t) => {
  setEnvironment(t, { EGG_APP_CONFIG: '{"mine":"variable"}' });
  const files = { ...QUIET, 'config/config.default.js': 'exports.mine = "file";' };
  const app = loadApp(t, files);
  assert.deepEqual(
    [app.config['mine'], Reflect.get(app.loader.configMeta, 'mine')],
    ['variable', '<process.env.EGG_APP_CONFIG>'],
  );
  setEnvironment(t, { EGG_APP_CONFIG: '{' });
  const plain = loadApp(t, files);
  assert.equal(plain.config['mine'], 'file');
  await logged(plain, 'egg-web.log', /WARN .*EGG_APP_CONFIG/);
});

test('core 2.4.proto keys named __proto__ are skipped', (t) => {
  const files = {
    ...QUIET,
    'config/config.default.js': `exports.a = JSON.parse('{"__proto__":{"polluted":1},"b":2}');`,
  };
  const { a } = loadApp(t, files).config as { a?: { b: number; polluted?: number } };
  assert.deepEqual([a?.b, a?.polluted, Reflect.get({}, 'polluted')], [2, undefined, undefined]);
});

test('core 2.4.aliases of the middleware lists are one array each', (t) => {
  const { config } = loadApp(t, { ...QUIET, 'config/config.default.js': 'exports.middleware = [];' });
  assert.equal(config['coreMiddleware'], config['coreMiddlewares']);
  for (const name of ['appMiddleware', 'appMiddlewares']) assert.equal(config[name], config['middleware'], name);
});

test('core 2.4.plural coreMiddlewares of an app is accepted and has no effect', (t) => {
  const { coreMiddleware, coreMiddlewares } = loadApp(t, {
    ...QUIET,
    'config/config.default.js': 'exports.coreMiddlewares = ["x"];',
  }).config;
  assert.equal(coreMiddlewares, coreMiddleware);
  assert.ok(!coreMiddleware.includes('x'));
});

test('core 2.4.configMeta has the file of each leaf', (t) => {
  const app = loadApp(t, {
    'config/config.default.js':
      'exports.a = { b: 1, list: [1], empty: {}, none: undefined }; exports.date = new Date();',
    'config/config.unittest.js': 'exports.a = { b: 2 }; exports.logger = { consoleLevel: "NONE" };',
  });
  const at = (name: string): string => path.join(app.baseDir, 'config', name);
  const { a, date } = app.loader.configMeta as Record<string, Record<string, unknown>>;
  assert.deepEqual(
    { ...a },
    { b: at('config.unittest.js'), list: at('config.default.js'), empty: at('config.default.js') },
  );
  assert.equal(date, at('config.default.js'));
});

test('core 2.13.typescript source is loaded with EGG_TYPESCRIPT and a hook', async (t) => {
  const baseDir = writeApp(t, {
    'config/config.default.ts': 'export default (info: { name: string }) => ({ from: info.name as string });',
    ...QUIET,
  });
  const script = `import { Application } from 'koa-clutch';
    const app = new Application({ env: 'unittest', mode: 'single' }); console.log('from', app.config.from); await app.close();`;
  const hook = { EGG_TYPESCRIPT: 'true', NODE_OPTIONS: `--import ${import.meta.resolve('tsx')}` };
  assert.match((await runScript(t, baseDir, script, hook)).output, /from demo/);
});
