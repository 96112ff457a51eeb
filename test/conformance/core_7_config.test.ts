import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { ApplicationOptions } from 'koa-clutch';
import { temporaryDirectory } from '../support/apps.js';
import { setEnvironment } from '../support/environment.js';
import { type Files, loadApp } from '../support/loaded_app.js';
import { declare, plugin } from '../support/plugin_files.js';

/** The config of an app with a plugin `p`. */
function configOf(t: TestContext, inPlugin: Files, inApp: Files = {}, options: ApplicationOptions = {}) {
  setEnvironment(t, { EGG_HOME: temporaryDirectory(t) });
  return loadApp(t, { ...declare({ p: {} }), ...plugin('p', {}, inPlugin), ...inApp }, options).config;
}

test('core 7.23 config.prod of a plugin wins over config.default of the app', (t) => {
  const config = configOf(
    t,
    { 'config/config.prod.js': 'exports.v = "plugin";' },
    { 'config/config.default.js': 'exports.v = "app";' },
    { env: 'prod' },
  );
  assert.equal(config['v'], 'plugin');
});

test('core 7.24 with a scope the order is default, scope, env, scope_env', (t) => {
  const files: Files = {};
  for (const name of ['default', 'en', 'prod', 'en_prod']) {
    files[`config/config.${name}.js`] = `exports.last = "${name}"; exports["${name}"] = "app";`;
  }
  const inPlugin = { 'config/config.en_prod.js': 'exports.last = exports.en_prod = "plugin";' };
  const config = configOf(t, inPlugin, files, { env: 'prod', serverScope: 'en' });
  assert.equal(config['last'], 'en_prod');
  for (const name of ['default', 'en', 'prod', 'en_prod']) assert.equal(config[name], 'app');
  delete files['config/config.en_prod.js'];
  assert.equal(configOf(t, {}, files, { env: 'prod', serverScope: 'en' })['last'], 'prod');
});

test('core 7.25 arrays, null, undefined, instances and plain objects are merged as by extend2', (t) => {
  const config = configOf(
    t,
    {
      'config/config.default.js': `module.exports = { list: [1, 2, 3], gone: { a: 1 }, kept: 1, plain: { a: 1 },
        buffer: Buffer.from("x"), date: new Date(), call: Object.assign(() => 1, { a: 1 }) };`,
    },
    {
      'config/config.default.js': `class Thing {} const thing = new Thing();
        module.exports = { list: [9], gone: null, kept: undefined, plain: thing, thing,
          buffer: { b: 1 }, date: { b: 1 }, call: { b: 1 } };`,
    },
  );
  assert.deepEqual(config['list'], [9]);
  assert.equal(config['gone'], null);
  assert.equal(config['kept'], 1);
  assert.equal(config['plain'], config['thing']);
  for (const key of ['buffer', 'date', 'call']) assert.deepEqual(config[key], { b: 1 });
});

test('core 7.26 config functions: how often, and with which second argument', (t) => {
  const files = {
    'config/config.default.js': 'module.exports = (...args) => { globalThis.calls.push(args[1]); return { d: 1 }; };',
    'config/config.unittest.js': 'exports.e = 1;',
    'config/config.en.js': 'exports.s = 1;',
  };
  const inPlugin = { 'config/config.default.js': 'module.exports = (_, app) => { globalThis.given = app; };' };
  const seen = globalThis as { calls?: unknown[]; given?: unknown };
  t.after(() => {
    delete seen.calls;
    delete seen.given;
  });
  seen.calls = [];
  configOf(t, inPlugin, files, { serverScope: 'en' });
  assert.deepEqual(seen.calls, [undefined, undefined]);
  assert.deepEqual(seen.given, { d: 1, e: 1 });
  seen.calls = [];
  configOf(t, inPlugin, files, { env: 'default' });
  assert.equal(seen.calls.length, 3);
});

test('core 7.27 middleware in a plugin and coreMiddleware in an app are refused, even if they are empty', (t) => {
  const load = (inPlugin: Files, inApp: Files = {}) => configOf(t, inPlugin, inApp);
  assert.throws(
    () => load({ 'config/config.default.js': 'exports.middleware = [];' }),
    /Can not define middleware in .*config\.default\.js/,
  );
  assert.throws(
    () => load({}, { 'config/config.default.js': 'exports.coreMiddleware = [];' }),
    /Can not define coreMiddleware in app or plugin/,
  );
});

test('core 7.28 EGG_APP_CONFIG may hold coreMiddleware, and wins', (t) => {
  setEnvironment(t, { EGG_APP_CONFIG: '{"coreMiddleware":["meta"],"v":2}' });
  const config = configOf(t, {}, { 'config/config.default.js': 'exports.v = 1;' });
  // Built-in plugins add theirs in configDidLoad.
  assert.equal(config['coreMiddleware'].includes('bodyParser'), false);
  assert.equal(config['v'], 2);
});

test('core 7.29 an async config function is refused with its file by a bare constructor', (t) => {
  const load = () => configOf(t, {}, { 'config/config.default.js': 'module.exports = async () => ({ v: 1 });' });
  assert.throws(load, /config\.default\.js is async/);
});

test('core 7.30 config.default.js hides config.js', (t) => {
  const config = configOf(
    t,
    {},
    { 'config/config.default.js': 'exports.a = 1;', 'config/config.js': 'exports.a = exports.b = 2;' },
  );
  assert.equal(config['a'], 1);
  assert.equal(config['b'], undefined);
});
