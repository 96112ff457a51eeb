import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Application } from 'koa-clutch';
import { setEnvironment } from '../support/environment.js';
import { coreLog, type Files, loadApp, writeApp } from '../support/loaded_app.js';
import { declare, plugin, pluginNames } from '../support/plugin_files.js';

/** A framework over Clutch with files of its own. */
function frameworkOf(t: Parameters<typeof writeApp>[0], files: Files): typeof Application {
  const dir = writeApp(t, files);
  return class extends Application {
    get [Symbol.for('egg#eggPath') as never]() {
      return dir;
    }
  };
}

const A_NEEDS_B = { ...plugin('a', { dependencies: ['b'] }) };

test('core 7.7 a plugin comes after its dependency, which lists it in dependents', (t) => {
  const app = loadApp(t, { ...declare({ a: {}, b: {} }), ...A_NEEDS_B, ...plugin('b') });
  assert.deepEqual(pluginNames(app), ['b', 'a']);
  assert.deepEqual(app.plugins['b']?.dependents, ['a']);
});

test('core 7.8 a dependency that the framework has turned off is enabled implicitly', (t) => {
  const as = frameworkOf(t, { ...declare({ b: { enable: false } }), ...plugin('b') });
  const app = loadApp(t, { ...declare({ a: {} }), ...A_NEEDS_B }, { as });
  assert.deepEqual(pluginNames(app), ['b', 'a']);
  assert.equal(app.plugins['b']?.enable, true);
  assert.equal(app.plugins['b']?.implicitEnable, true);
});

test('core 7.9 a dependency that the app has turned off is enabled with a warning', (t) => {
  const as = frameworkOf(t, { ...declare({ b: {} }), ...plugin('b') });
  const app = loadApp(t, { ...declare({ a: {}, b: false }), ...A_NEEDS_B }, { as });
  assert.deepEqual(pluginNames(app), ['b', 'a']);
  assert.match(coreLog(app), /"b" is off .* but is on because "a" needs it/);
});

test('core 7.10 an optional dependency orders and does not enable', (t) => {
  const files = { ...plugin('c', { optionalDependencies: ['b'] }), ...plugin('b') };
  assert.deepEqual(pluginNames(loadApp(t, { ...declare({ c: {}, b: { enable: false } }), ...files })), ['c']);
  assert.deepEqual(pluginNames(loadApp(t, { ...declare({ c: {}, b: {} }), ...files })), ['b', 'c']);
});

test('core 7.11 a dependency that is not declared is a PluginSequencifyError with both names', (t) => {
  assert.throws(() => loadApp(t, { ...declare({ a: {} }), ...A_NEEDS_B }), {
    name: 'PluginSequencifyError',
    message: /missing plugins: b[\s\S]*"b" is needed by "a"/,
  });
});

test('core 7.12 so is a dependency that its env excludes', (t) => {
  const files = { ...declare({ a: {}, b: { env: ['prod'] } }), ...A_NEEDS_B, ...plugin('b') };
  assert.throws(() => loadApp(t, files), { name: 'PluginSequencifyError', message: /"b" is needed by "a"/ });
});

test('core 7.13 a circle of dependencies is an error with the chain, also if they are optional', (t) => {
  const hard = { ...declare({ f: {}, g: {} }), ...plugin('f', { dependencies: ['g'] }) };
  assert.throws(() => loadApp(t, { ...hard, ...plugin('g', { dependencies: ['f'] }) }), {
    name: 'PluginSequencifyError',
    message: /f,g,f/,
  });
  const optional = { ...declare({ a: {}, b: {} }), ...plugin('a', { optionalDependencies: ['b'] }) };
  assert.throws(() => loadApp(t, { ...optional, ...plugin('b', { optionalDependencies: ['a'] }) }), /a,b,a/);
});

test('core 7.14 an unknown plugin that is turned off is not found', (t) => {
  assert.throws(() => loadApp(t, declare({ zzz: false })), /Can not find plugin zzz in "/);
});

test('core 7.15 a path that does not exist boots with a warning', (t) => {
  const app = loadApp(t, { 'config/plugin.js': 'exports.a = { path: "/nope" };' });
  assert.deepEqual(pluginNames(app), ['a']);
  assert.match(coreLog(app), /"a" has no package\.json at \/nope/);
});

test('core 7.16 a path as package is an error that advises path', (t) => {
  const load = () => loadApp(t, { 'config/plugin.js': 'exports.a = { package: "./x" };' });
  assert.throws(load, /"a" has "\.\/x" as package[\s\S]*use path/);
});

test('core 7.17 plugin.default.js hides plugin.js', (t) => {
  const files = { ...declare({ a: {} }, 'config/plugin.default.js'), ...declare({ b: {} }), ...plugin('a') };
  assert.deepEqual(pluginNames(loadApp(t, { ...files, ...plugin('b') })), ['a']);
});

test('core 7.18 plugin.js of the app wins over plugin.local.js of the framework', (t) => {
  const as = frameworkOf(t, {
    ...declare({ b: { enable: false } }),
    ...declare({ b: true }, 'config/plugin.local.js'),
    ...plugin('b'),
  });
  assert.deepEqual(pluginNames(loadApp(t, {}, { as, env: 'local' })), ['b']);
  assert.deepEqual(pluginNames(loadApp(t, declare({ b: false }), { as, env: 'local' })), []);
});

test('core 7.19 an empty env of the app does not clear that of the package, another one replaces it', (t) => {
  const of = (env: string[]) => ({ ...declare({ a: { env } }), ...plugin('a', { env: ['prod'] }) });
  assert.deepEqual(pluginNames(loadApp(t, of([]), { env: 'local' })), []);
  assert.deepEqual(pluginNames(loadApp(t, of(['local']), { env: 'local' })), ['a']);
});

test('core 7.20 invalid EGG_PLUGINS is ignored; options.plugins win over valid ones by name', (t) => {
  const files = { ...declare({ a: {}, b: {} }), ...plugin('a'), ...plugin('b') };
  setEnvironment(t, { EGG_PLUGINS: '{' });
  assert.deepEqual(pluginNames(loadApp(t, files)), ['a', 'b']);
  process.env['EGG_PLUGINS'] = '{"a":false,"b":false}';
  assert.deepEqual(pluginNames(loadApp(t, files, { plugins: { a: true } })), ['a']);
});

test('core 7.21 plugin.js that exports a function declares nothing', (t) => {
  assert.deepEqual(pluginNames(loadApp(t, { 'config/plugin.js': 'module.exports = () => ({ a: true });' })), []);
});

test('core 7.22 another name in eggPlugin is a warning, unless strict is false', (t) => {
  const named = (eggPlugin: object) => loadApp(t, { ...declare({ a: {} }), ...plugin('a', eggPlugin) });
  const strict = named({ name: 'other' });
  assert.deepEqual(pluginNames(strict), ['a']);
  assert.match(coreLog(strict), /"a" is called "other"/);
  assert.doesNotMatch(coreLog(named({ name: 'other', strict: false })), /other/);
});
