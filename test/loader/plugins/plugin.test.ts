import assert from 'node:assert/strict';
import { realpathSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { Application } from 'koa-clutch';
import { coreLog, type Files, loadAgent, loadApp, writeApp } from '../../support/loaded_app.js';
import { declare, plugin, pluginNames } from '../../support/plugin_files.js';

test('plugins come after those that they depend on', (t) => {
  const app = loadApp(t, { ...declare({ a: {}, b: {} }), ...plugin('a', { dependencies: ['b'] }), ...plugin('b') });
  assert.deepEqual(pluginNames(app), ['b', 'a']);
  assert.deepEqual(app.plugins['b']?.dependents, ['a']);
});

test('a plugin that is off is turned on when another one needs it', (t) => {
  const files = {
    ...declare({ a: {}, b: { enable: false } }),
    ...plugin('a', { dependencies: ['b'] }),
    ...plugin('b'),
  };
  const app = loadApp(t, files);
  assert.deepEqual(pluginNames(app), ['b', 'a']);
  assert.equal(app.plugins['b']?.implicitEnable, true);
  assert.match(coreLog(app), /plugin "b" is off in .*plugin\.js but is on because "a" needs it/);
  assert.match(
    app.loader.explainPlugins().find(({ name }) => name === 'b')?.reason as string,
    /off in .*, but needed by a/,
  );
});

test('an optional dependency orders but does not enable', (t) => {
  const with_ = (enable: boolean) => ({
    ...declare({ c: {}, b: { enable } }),
    ...plugin('c', { optionalDependencies: ['b', 'absent'] }),
    ...plugin('b'),
  });
  assert.deepEqual(pluginNames(loadApp(t, with_(false))), ['c']);
  assert.deepEqual(pluginNames(loadApp(t, with_(true))), ['b', 'c']);
});

function assertFails(t: TestContext, files: Files, code: string, ...patterns: RegExp[]): void {
  assert.throws(
    () => loadApp(t, files),
    (error: Error & { code: string }) => {
      assert.equal(error.code, code, error.message);
      for (const pattern of patterns) assert.match(error.message, pattern);
      return true;
    },
  );
}

test('a missing dependency stops the boot and is named with who needs it', (t) => {
  const files = { ...declare({ a: {} }), ...plugin('a', { dependencies: ['nowhere'] }) };
  assertFails(t, files, 'ERR_CLUTCH_PLUGIN_MISSING', /missing plugins: nowhere/, /"nowhere" is needed by "a"/);
});

test('a dependency that is not for this env counts as missing', (t) => {
  const files = {
    ...declare({ a: {}, b: {} }),
    ...plugin('a', { dependencies: ['b'] }),
    ...plugin('b', { env: ['prod'] }),
  };
  assertFails(t, files, 'ERR_CLUTCH_PLUGIN_MISSING', /"b" is needed by "a"/);
});

for (const key of ['dependencies', 'optionalDependencies']) {
  test(`a circle of ${key} stops the boot and is written out`, (t) => {
    const files = { ...declare({ f: {}, g: {} }), ...plugin('f', { [key]: ['g'] }), ...plugin('g', { [key]: ['f'] }) };
    assertFails(t, files, 'ERR_CLUTCH_PLUGIN_CYCLE', /f,g,f/);
  });
}

test('a plugin that depends on itself is a circle', (t) => {
  assertFails(t, { ...declare({ f: {} }), ...plugin('f', { dependencies: ['f'] }) }, 'ERR_CLUTCH_PLUGIN_CYCLE', /f,f/);
});

test('a declared package that is not installed stops the boot, even when it is off', (t) => {
  assertFails(
    t,
    declare({ zzz: false }),
    'ERR_CLUTCH_PLUGIN_NOT_FOUND',
    /Can not find plugin zzz in ".*"/,
    /Install its package, such as egg-zzz/,
  );
});

test('a path that does not exist is a warning', (t) => {
  const app = loadApp(t, { 'config/plugin.js': `exports.nope = { enable: true, path: '/nope' };` });
  assert.match(coreLog(app), /plugin "nope" has no package\.json/);
});

for (const name of ['./x', '/x', 'file:x']) {
  test(`package: '${name}' is refused and path is advised`, (t) => {
    const files = { 'config/plugin.js': `exports.x = { enable: true, package: '${name}' };` };
    assertFails(t, files, 'ERR_CLUTCH_PLUGIN_CONFIG', /use path for a directory/);
  });
}

test('a package is found in node_modules, also under another key', (t) => {
  const app = loadApp(t, {
    'config/plugin.js': `exports.nick = { enable: true, package: 'egg-real' };`,
    'node_modules/egg-real/package.json': '{ "name": "egg-real", "version": "2.0.0", "eggPlugin": { "name": "real" } }',
  });
  assert.equal(app.plugins['nick']?.version, '2.0.0');
  assert.match(coreLog(app), /plugin "nick" is called "real"/);
});

test('a directory beside the app is not taken for a plugin; a package beside a framework in node_modules is', (t) => {
  const parent = writeApp(t, {
    'beside/package.json': '{ "name": "beside", "eggPlugin": { "name": "beside" } }',
    'app/package.json': '{ "name": "demo" }',
    'app/config/plugin.js': 'exports.beside = true;',
  });
  assert.throws(() => loadApp(t, {}, { baseDir: path.join(parent, 'app') }), { code: 'ERR_CLUTCH_PLUGIN_NOT_FOUND' });
  const { found } = loadApp(
    t,
    {
      'store/node_modules/beside/package.json': '{ "name": "beside", "eggPlugin": { "name": "beside" } }',
      'store/node_modules/beside/app.js': 'module.exports = (app) => { app.found = true; };',
      'store/node_modules/yadan/package.json': '{ "name": "yadan" }',
      'store/node_modules/yadan/config/plugin.js': 'exports.beside = true;',
    },
    {
      as: class extends Application {
        get [Symbol.for('egg#eggPath') as never]() {
          return path.join(this.options.baseDir, 'store/node_modules/yadan');
        }
      },
    },
  ) as { found?: boolean };
  assert.equal(found, true);
});

test('strict: false silences another name', (t) => {
  const files = { ...declare({ nick: {} }), ...plugin('nick', { name: 'real', strict: false }) };
  assert.equal(coreLog(loadApp(t, files)), '');
});

test('plugin.default.js hides plugin.js', (t) => {
  const app = loadApp(t, {
    ...declare({ a: {} }),
    ...plugin('a'),
    ...plugin('b'),
    'config/plugin.default.js': `exports.b = { path: require('path').join(__dirname, '../plugins/b') };`,
  });
  assert.deepEqual(pluginNames(app), ['b']);
});

test('the env file of the app comes after its default', (t) => {
  const files = { ...declare({ a: {} }), ...plugin('a'), 'config/plugin.prod.js': 'exports.a = false;' };
  assert.deepEqual(pluginNames(loadApp(t, files)), ['a']);
  assert.deepEqual(pluginNames(loadApp(t, files, { env: 'prod' })), []);
});

test('an empty env in config does not clear the env of the package, another env replaces it', (t) => {
  const files = (env: string[]) => ({ ...declare({ a: { env } }), ...plugin('a', { env: ['prod'] }) });
  const off = loadApp(t, files([]));
  assert.deepEqual(pluginNames(off), []);
  assert.match(
    off.loader.explainPlugins().find(({ name }) => name === 'a')?.reason as string,
    /its env \[prod\] does not hold "unittest"/,
  );
  assert.deepEqual(pluginNames(loadApp(t, files(['unittest']))), ['a']);
});

test('options.plugins beats EGG_PLUGINS, which beats the files', (t) => {
  const files = { ...declare({ a: {}, b: {} }), ...plugin('a'), ...plugin('b') };
  process.env['EGG_PLUGINS'] = '{"a":false,"b":false}';
  t.after(() => delete process.env['EGG_PLUGINS']);
  assert.deepEqual(pluginNames(loadApp(t, files)), []);
  assert.deepEqual(pluginNames(loadApp(t, files, { plugins: { a: true } })), ['a']);
});

test('EGG_PLUGINS that is not JSON is ignored with a warning', (t) => {
  process.env['EGG_PLUGINS'] = '{';
  t.after(() => delete process.env['EGG_PLUGINS']);
  assert.match(coreLog(loadApp(t)), /EGG_PLUGINS is not valid JSON/);
});

test('a function as plugin file declares nothing', (t) => {
  assert.deepEqual(pluginNames(loadApp(t, { 'config/plugin.js': 'module.exports = () => ({ a: true });' })), []);
});

test('null as a plugin is refused', (t) => {
  assertFails(
    t,
    { 'config/plugin.js': 'exports.a = null;' },
    'ERR_CLUTCH_PLUGIN_CONFIG',
    /plugin "a" is declared as null/,
  );
});

test('the legacy key dep counts as dependencies', (t) => {
  const app = loadApp(t, { ...declare({ a: { dep: ['b'] }, b: {} }), ...plugin('a'), ...plugin('b') });
  assert.deepEqual(pluginNames(app), ['b', 'a']);
});

test('eggPlugin.exports names the directory of the built files, inside the package only', (t) => {
  const built = {
    ...declare({ a: {} }),
    ...plugin('a', { exports: { require: './dist' } }, { 'dist/config/config.default.js': 'exports.fromDist = true;' }),
  };
  const app = loadApp(t, built);
  assert.equal(app.config['fromDist'], true);
  assert.equal(path.basename(app.plugins['a']?.path as string), 'dist');
  const outside = { ...declare({ a: {} }), ...plugin('a', { exports: { require: '../../../..' } }) };
  assertFails(t, outside, 'ERR_CLUTCH_PLUGIN_CONFIG', /leads out of its package/);
});

test('a later declaration with path or package replaces both', (t) => {
  const app = loadApp(t, {
    ...declare({ a: {} }),
    ...plugin('a'),
    'config/plugin.unittest.js': `exports.a = { package: 'egg-a' };`,
    'node_modules/egg-a/package.json': '{ "name": "egg-a", "version": "9.9.9", "eggPlugin": { "name": "a" } }',
  });
  assert.equal(app.plugins['a']?.version, '9.9.9');
});

test('a plugin called __proto__ pollutes nothing', (t) => {
  const app = loadApp(t, {
    'config/plugin.js': `module.exports = JSON.parse('{"__proto__":{"enable":true,"polluted":1}}');`,
  });
  assert.deepEqual(pluginNames(app), []);
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
});

for (const text of ['module.exports = () => ({ a: true });', 'module.exports = async () => ({ a: true });']) {
  test(`a plugin file that exports a function declares nothing, with a warning: ${text}`, (t) => {
    const app = loadApp(t, { 'config/plugin.js': text });
    assert.deepEqual(pluginNames(app), []);
    assert.match(coreLog(app), /config\/plugin\.js exports a function and declares no plugin/);
  });
}

test('a plugin that is linked into node_modules has its real path', (t) => {
  const baseDir = writeApp(t, {
    ...plugin('a'),
    'config/plugin.js': "exports.a = { enable: true, package: 'egg-a' };",
  });
  symlinkSync(path.join(baseDir, 'plugins/a'), path.join(baseDir, 'node_modules/egg-a'), 'dir');
  assert.equal(loadApp(t, {}, { baseDir }).plugins['a']?.path, realpathSync(path.join(baseDir, 'plugins/a')));
});

const HINTS: [what: string, files: Files, message: RegExp][] = [
  [
    'needs one that nobody declares',
    { ...declare({ a: {} }), ...plugin('a', { dependencies: ['redis'] }) },
    /Install its package \(such as egg-redis\) and declare "redis" in config\/plugin, or turn off/,
  ],
  [
    'needs a built-in of another env',
    { ...declare({ a: {} }), ...plugin('a', { dependencies: ['development'] }) },
    /it is for env local only, by .*plugin\.default\.js\n[\s\S]*Allow it for this env/,
  ],
  [
    'is declared by its short name',
    { 'config/plugin.js': 'exports.redis = true;' },
    /Install its package, such as egg-redis, and declare redis: \{ enable: true, package: 'egg-redis' \}/,
  ],
  [
    'is declared by its short name and installed',
    { 'config/plugin.js': 'exports.redis = true;', 'node_modules/egg-redis/package.json': '{}' },
    /Its package is egg-redis, which is installed: declare redis/,
  ],
  [
    'is declared by a package that is not installed',
    { 'config/plugin.js': 'exports.redis = { enable: true, package: "my-redis" };' },
    /npm install my-redis/,
  ],
];

for (const [what, files, message] of HINTS) {
  test(`a plugin that ${what} is missing: the error says how to get it`, (t) => {
    assert.throws(() => loadApp(t, files), { message });
  });
}

test('app/schedule without plugin schedule is warned about by the Agent', (t) => {
  const files = {
    'app/schedule/job.js': 'throw new Error("not loaded");',
    'config/plugin.js': 'exports.schedule = false; exports.logrotator = false; exports.multipart = false;',
  };
  assert.match(coreLog(loadAgent(t, files)), /app\/schedule is not loaded: plugin "schedule" is off/);
  assert.doesNotMatch(coreLog(loadApp(t, files)), /app\/schedule/);
});
