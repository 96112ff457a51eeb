import assert from 'node:assert/strict';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryDirectory } from '../support/apps.js';
import { setEnvironment } from '../support/environment.js';
import { type Files, loadApp, writeApp } from '../support/loaded_app.js';

test('core 2.1.appInfo has the fields of Egg', (t) => {
  const home = temporaryDirectory(t);
  setEnvironment(t, { EGG_HOME: home });
  const { appInfo } = loadApp(t, {}, { env: 'prod', serverScope: 'en' }).loader;
  const { name, env, scope, HOME, root, pkg } = appInfo;
  assert.deepEqual([name, env, scope, HOME, root, pkg.name], ['demo', 'prod', 'en', home, home, 'demo']);
});

test('core 2.1.empty EGG_SERVER_ENV of blanks is an empty env', (t) => {
  setEnvironment(t, { EGG_SERVER_ENV: '  ', EGG_HOME: temporaryDirectory(t) });
  assert.equal(loadApp(t, {}, { env: undefined }).loader.serverEnv, '');
});

test('core 2.1.typeFiles are default, scope, env and scope_env', (t) => {
  setEnvironment(t, { EGG_HOME: temporaryDirectory(t) });
  const { loader } = loadApp(t, {}, { env: 'prod', serverScope: 'en' });
  assert.deepEqual(loader.getTypeFiles('x'), ['x.default', 'x.en', 'x.prod', 'x.en_prod']);
  assert.deepEqual(loadApp(t, {}, { env: 'default' }).loader.getTypeFiles('x'), ['x.default']);
});

type Options = Record<string, unknown>;

/** Loads the files of a directory with the FileLoader of a loader. */
function load(t: TestContext, files: Files, options: Options = {}): Options {
  const dir = writeApp(t, Object.fromEntries(Object.entries(files).map(([name, text]) => [`kit/${name}`, text])));
  const { FileLoader } = loadApp(t).loader;
  const target = {};
  new FileLoader({ directory: path.join(dir, 'kit'), target, ...options } as never).load();
  return target;
}

const FOO = { 'foo_bar.js': 'module.exports = { a: 1 };' };

const options: [name: string, title: string, check: (t: TestContext) => void][] = [
  [
    'directory',
    'is required; a missing one loads nothing',
    (t) => {
      assert.throws(() => load(t, FOO, { directory: undefined }), /options\.directory is required/);
      assert.deepEqual(load(t, FOO, { directory: '/no/dir' }), {});
    },
  ],
  [
    'target',
    'is required',
    (t) => assert.throws(() => load(t, FOO, { target: undefined }), /options\.target is required/),
  ],
  [
    'match',
    'chooses files',
    (t) => assert.deepEqual(Object.keys(load(t, { ...FOO, 'b.js': '' }, { match: 'foo*.js' })), ['fooBar']),
  ],
  [
    'ignore',
    'leaves files out',
    (t) => assert.deepEqual(Object.keys(load(t, { ...FOO, 'b.js': '' }, { ignore: ['b.js', ''] })), ['fooBar']),
  ],
  [
    'caseStyle',
    'is camel, lower, upper or a function',
    (t) => {
      const file = { 'Foo_bar.js': 'module.exports = 1;' };
      const key = (caseStyle: unknown) => Object.keys(load(t, file, { caseStyle }))[0];
      assert.deepEqual(
        [key('camel'), key('lower'), key('upper'), key(() => ['x'])],
        ['FooBar', 'fooBar', 'FooBar', 'x'],
      );
      assert.throws(() => key(() => 'x'), /not an array/);
    },
  ],
  [
    'lowercaseFirst',
    'is lower',
    (t) =>
      assert.deepEqual(
        Object.keys(load(t, { 'Foo.js': 'module.exports = 1;' }, { lowercaseFirst: true, caseStyle: 'upper' })),
        ['foo'],
      ),
  ],
  [
    'initializer',
    'maps exports',
    (t) => {
      const initializer = (_: unknown, file: { path: string; pathName: string }) => [
        path.basename(file.path),
        file.pathName,
      ];
      assert.deepEqual(load(t, FOO, { initializer }), { fooBar: ['foo_bar.js', 'kit.fooBar'] });
    },
  ],
  [
    'call',
    'calls functions with inject',
    (t) => {
      const file = { 'foo.js': 'module.exports = (x) => ({ x });' };
      assert.deepEqual(load(t, file, { inject: 1 }), { foo: { x: 1 } });
      assert.equal(typeof load(t, file, { call: false })['foo'], 'function');
    },
  ],
  [
    'override',
    'lets a later file win, else it is an error',
    (t) => {
      const files = { 'foo_bar.js': 'module.exports = { a: 1 };', 'fooBar.js': 'module.exports = { a: 2 };' };
      assert.throws(() => load(t, files), /can't overwrite property 'fooBar'/);
      assert.ok(load(t, files, { override: true })['fooBar']);
    },
  ],
  ['filter', 'drops exports', (t) => assert.deepEqual(load(t, FOO, { filter: () => false }), {})],
];

for (const [name, title, check] of options) test(`core 2.7.${name} ${title}`, check);

test('core 2.11.loadFile gives null for no file, calls functions, and reads other files', (t) => {
  const app = loadApp(t, {
    'one.js': 'module.exports = (...args) => args;',
    'two.js': 'module.exports = class {};',
    'three.txt': 'text',
  });
  const at = (name: string) => path.join(app.baseDir, name);
  assert.equal(app.loader.loadFile(at('none')), null);
  assert.deepEqual(app.loader.loadFile(at('one')), [app]);
  assert.deepEqual(app.loader.loadFile(at('one'), undefined), [undefined]);
  assert.equal(typeof app.loader.loadFile(at('two')), 'function');
  assert.equal(String(app.loader.loadFile(at('three.txt'))), 'text');
});

test('core 2.11.requireFile is in the timeline', (t) => {
  const app = loadApp(t, { 'one.js': 'module.exports = 1;' });
  assert.equal(app.loader.requireFile(path.join(app.baseDir, 'one.js')), 1);
  assert.ok(app.timing.toJSON().some(({ name }) => /^Require.* one\.js$/.test(name)));
});

test('core 2.11.loadToApp fills a property, also a symbol', (t) => {
  const app = loadApp(t, { 'kit/a.js': 'module.exports = (app) => ({ name: app.name });' });
  const key = Symbol('kit');
  app.loader.loadToApp(path.join(app.baseDir, 'kit'), key);
  assert.deepEqual(Reflect.get(app, key), { a: { name: 'demo' } });
});

test('core 2.11.loadToContext makes classes once for each context', (t) => {
  const app = loadApp(t, { 'kit/a.js': 'module.exports = class { constructor(ctx) { this.ctx = ctx; } };' });
  app.loader.loadToContext(path.join(app.baseDir, 'kit'), 'kit');
  const ctx = app.createAnonymousContext();
  const { a } = Reflect.get(ctx, 'kit') as { a: { ctx: unknown } };
  assert.equal(a.ctx, ctx);
  assert.equal((Reflect.get(ctx, 'kit') as { a: unknown }).a, a);
});

test('core 2.11.resolveModule finds files and directories with an index', (t) => {
  const { baseDir, loader } = loadApp(t, { 'one.js': '', 'dir/index.js': '', 'three.json': '{}' });
  for (const [name, file] of [
    ['one', 'one.js'],
    ['dir', 'dir/index.js'],
    ['three', 'three.json'],
  ] as const) {
    assert.equal(loader.resolveModule(path.join(baseDir, name)), path.join(baseDir, file));
  }
  assert.equal(loader.resolveModule(path.join(baseDir, 'none')), undefined);
});

test('core 2.11.error of loading names the file', (t) => {
  const app = loadApp(t, { 'bad.js': 'throw new Error("inside");' });
  assert.throws(() => app.loader.loadFile(path.join(app.baseDir, 'bad')), /load file: .*bad\.js, error: inside/);
});

test('core 2.11.points that frameworks override', (t) => {
  const { loader } = loadApp(t);
  const names = ['getAppname', 'getHomedir', 'getServerEnv', 'getServerScope', 'getEggPaths', 'getExtendFilePaths'];
  for (const name of [...names, 'getTypeFiles', 'getLoadUnits', 'getLookupDirs']) {
    assert.equal(typeof Reflect.get(loader, name), 'function', name);
  }
});
