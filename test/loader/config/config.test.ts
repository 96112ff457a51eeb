import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coreLog, loadApp } from '../../support/loaded_app.js';

const withPlugin = (files: Record<string, string>) => ({
  'config/plugin.js': `exports.p = { path: require('path').join(__dirname, '../p') };`,
  'p/package.json': '{ "name": "egg-p", "eggPlugin": { "name": "p" } }',
  ...files,
});

const setEnv = (t: { after(fn: () => void): void }, name: string, value: string): void => {
  process.env[name] = value;
  t.after(() => delete process.env[name]);
};

test('a plugin’s env config beats the app’s default config', (t) => {
  const app = loadApp(
    t,
    withPlugin({
      'p/config/config.prod.js': 'exports.v = "plugin prod";',
      'config/config.default.js': 'exports.v = "app";',
    }),
    { env: 'prod' },
  );
  assert.equal(app.config['v'], 'plugin prod');
  assert.deepEqual(
    app.loader.explainConfig('v')[0]?.sources.map(({ value }) => value),
    ['app', 'plugin prod'],
  );
});

test('files come in the order default, scope, env, scope_env', (t) => {
  const files = Object.fromEntries(
    ['default', 'en', 'prod', 'en_prod'].map((name) => [
      `config/config.${name}.js`,
      `exports.v = "${name}"; exports["${name}"] = true;`,
    ]),
  );
  const app = loadApp(t, files, { env: 'prod', serverScope: 'en' });
  assert.equal(app.config['v'], 'en_prod');
  const sources = app.loader.explainConfig('v')[0]?.sources.map(({ value }) => value);
  assert.deepEqual(sources, ['default', 'en', 'prod', 'en_prod']);
});

const MERGES: [what: string, first: string, second: string, expected: unknown][] = [
  ['an array replaces an array', '[1, 2, 3]', '[9]', [9]],
  ['objects merge deeply', '{ a: { b: 1 }, c: 2 }', '{ a: { d: 3 } }', { a: { b: 1, d: 3 }, c: 2 }],
  ['null overrides', '{ a: 1 }', 'null', null],
  ['undefined does not override', '{ a: 1 }', 'undefined', { a: 1 }],
  ['a plain object over a Buffer starts anew', 'Buffer.from("x")', '{ a: 1 }', { a: 1 }],
  ['a plain object over a Date starts anew', 'new Date(0)', '{ a: 1 }', { a: 1 }],
  ['false overrides an object', '{ a: 1 }', 'false', false],
];
for (const [what, first, second, expected] of MERGES) {
  test(`merging config: ${what}`, (t) => {
    const app = loadApp(t, {
      'config/config.default.js': `exports.v = ${first};`,
      'config/config.unittest.js': `exports.v = ${second};`,
    });
    assert.deepEqual(app.config['v'], expected);
  });
}

test('an instance replaces a plain object and stays the same object', (t) => {
  const app = loadApp(t, {
    'config/config.default.js': 'exports.v = { a: 1 };',
    'config/config.unittest.js':
      'class K { constructor() { this.b = 2; } } exports.v = new K(); exports.same = exports.v;',
  });
  assert.equal(app.config['v'], app.config['same']);
  assert.equal((app.config['v'] as { constructor: { name: string } }).constructor.name, 'K');
});

test('a config function gets appInfo, and in a plugin the app’s own config', (t) => {
  const app = loadApp(
    t,
    withPlugin({
      'config/config.default.js':
        'module.exports = (info, app) => ({ seen: [info.name, info.env, app], color: "red" });',
      'config/config.unittest.js': 'exports.size = 3;',
      'p/config/config.default.js': 'module.exports = (info, app) => ({ fromApp: [app.color, app.size] });',
    }),
  );
  assert.deepEqual(app.config['seen'], ['demo', 'unittest', undefined]);
  assert.deepEqual(app.config['fromApp'], ['red', 3]);
});

test('config/config.js stands in for config.default.js only', (t) => {
  assert.equal(loadApp(t, { 'config/config.js': 'exports.v = 1;' }).config['v'], 1);
  const both = { 'config/config.js': 'exports.v = 1;', 'config/config.default.js': 'exports.w = 2;' };
  assert.equal(loadApp(t, both).config['v'], undefined);
});

test('JSON is a config file as well', (t) => {
  assert.equal(loadApp(t, { 'config/config.default.json': '{ "v": 5 }' }).config['v'], 5);
});

test('EGG_APP_CONFIG wins over all files', (t) => {
  setEnv(t, 'EGG_APP_CONFIG', '{"v":{"a":2}}');
  const app = loadApp(t, { 'config/config.unittest.js': 'exports.v = { a: 1, b: 1 };' });
  assert.deepEqual(app.config['v'], { a: 2, b: 1 });
  assert.equal(app.loader.explainConfig('v.a')[0]?.sources.at(-1)?.file, '<process.env.EGG_APP_CONFIG>');
});

test('EGG_APP_CONFIG that is not a JSON object is ignored with a warning', (t) => {
  setEnv(t, 'EGG_APP_CONFIG', '[1]');
  assert.match(coreLog(loadApp(t)), /EGG_APP_CONFIG is not a JSON object/);
});

const WRONG: [what: string, files: Record<string, string>, pattern: RegExp][] = [
  [
    'coreMiddleware in the app',
    { 'config/config.default.js': 'exports.coreMiddleware = [];' },
    /Can not define coreMiddleware in app or plugin[\s\S]*config\.default\.js/,
  ],
  [
    'middleware in a plugin',
    withPlugin({ 'p/config/config.default.js': 'exports.middleware = [];' }),
    /Can not define middleware in .*p\/config\/config\.default\.js/,
  ],
  [
    'a function that throws',
    { 'config/config.default.js': 'module.exports = () => { throw new Error("bad env"); };' },
    /config\.default\.js threw: bad env/,
  ],
  ['a number', { 'config/config.default.js': 'module.exports = 5;' }, /config\.default\.js gives number/],
  ['an array', { 'config/config.default.js': 'module.exports = [];' }, /config\.default\.js gives an array/],
  [
    'middleware that is no array',
    { 'config/config.default.js': 'exports.middleware = "a";' },
    /config\.middleware is string/,
  ],
];
for (const [what, files, pattern] of WRONG) {
  test(`${what} as config is refused with the file`, (t) => {
    assert.throws(() => loadApp(t, files), { code: 'ERR_CLUTCH_CONFIG', message: pattern });
  });
}

test('a config file that throws or does not parse is named', (t) => {
  for (const text of ['throw new Error("no vault");', 'exports.a = {']) {
    assert.throws(() => loadApp(t, { 'config/config.default.js': text }), {
      code: 'ERR_CLUTCH_MODULE',
      message: /config\.default\.js/,
    });
  }
});

test('aliases of the middleware lists are one array', (t) => {
  const { config } = loadApp(t);
  assert.equal(config.coreMiddleware, config['coreMiddlewares']);
  assert.equal(config.appMiddleware, config.middleware);
  assert.equal(config.appMiddleware, config['appMiddlewares']);
});

test('configMeta names the file behind each leaf', (t) => {
  const app = loadApp(t, { 'config/config.default.js': 'exports.a = { b: 1, list: [1], none: {} };' });
  const meta = app.loader.configMeta['a'] as Record<string, string>;
  for (const key of ['b', 'list', 'none']) assert.match(meta[key] as string, /config\.default\.js$/);
});

test('explainConfig shows every file in order and masks secrets', (t) => {
  const app = loadApp(t, {
    'config/config.default.js': 'exports.db = { password: "hunter2", url: "mysql://root:hunter2@host/db", port: 1 };',
    'config/config.unittest.js': 'exports.db = { port: 2 };',
  });
  const explained = app.loader.explainConfig('db');
  assert.doesNotMatch(JSON.stringify(explained), /hunter2/);
  const port = explained.find(({ key }) => key === 'db.port');
  assert.equal(port?.value, 2);
  assert.deepEqual(
    port?.sources.map(({ file }) => file.split('/').at(-1)),
    ['config.default.js', 'config.unittest.js'],
  );
  assert.equal(explained.find(({ key }) => key === 'db.url')?.value, 'mysql://root:***@host/db');
});

test('an edit of config in configWillLoad is what explainConfig shows as value', (t) => {
  const app = loadApp(t, {
    'config/config.default.js': 'exports.v = 1;',
    'app.js':
      'module.exports = class { constructor(app) { this.app = app; } configWillLoad() { this.app.config.v = 2; } };',
  });
  assert.equal(app.loader.explainConfig('v')[0]?.value, 2);
});

for (const key of ['__proto__', 'constructor']) {
  test(`config with ${key} pollutes no prototype`, (t) => {
    setEnv(t, 'EGG_APP_CONFIG', `{"a":{"${key}":{"polluted":1,"prototype":{"polluted":1}}}}`);
    loadApp(t);
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
    assert.equal((Object as unknown as Record<string, unknown>)['polluted'], undefined);
  });
}

test('the server env comes from the option, the file, EGG_SERVER_ENV, then NODE_ENV', (t) => {
  const envOf = (files: Record<string, string>, env?: string) => loadApp(t, files, { env }).config.env;
  const file = { 'config/env': ' sit \n' };
  setEnv(t, 'EGG_SERVER_ENV', 'prod');
  assert.equal(envOf(file, 'opt'), 'opt');
  assert.equal(envOf(file), 'sit');
  assert.equal(envOf({ 'config/env': '\n' }), 'prod');
  delete process.env['EGG_SERVER_ENV'];
  const { NODE_ENV } = process.env;
  t.after(() => {
    process.env['NODE_ENV'] = NODE_ENV;
    if (NODE_ENV === undefined) delete process.env['NODE_ENV'];
  });
  for (const [nodeEnv, expected] of [
    ['test', 'unittest'],
    ['production', 'prod'],
    ['x', 'local'],
  ] as const) {
    process.env['NODE_ENV'] = nodeEnv;
    process.env['EGG_HOME'] = loadApp(t, {}, { env: 'unittest' }).baseDir;
    assert.equal(envOf({}), expected);
  }
  delete process.env['EGG_HOME'];
});

test('an empty scope as option beats EGG_SERVER_SCOPE', (t) => {
  setEnv(t, 'EGG_SERVER_SCOPE', 'en');
  const files = { 'config/config.en.js': 'exports.v = "en";' };
  assert.equal(loadApp(t, files).config['v'], 'en');
  assert.equal(loadApp(t, files, { serverScope: '' }).config['v'], undefined);
});
