// The loader outside of an application, as Egg's tools use it, and the methods that a framework's loader may override.
import assert from 'node:assert/strict';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { Application, AppWorkerLoader, EggCore, EggLoader, type LoaderOptions } from 'koa-clutch';
import { temporaryDirectory } from '../support/apps.js';
import { setEnvironment } from '../support/environment.js';
import { coreLog, type Files, loadApp, serve, writeApp } from '../support/loaded_app.js';
import { declare, plugin } from '../support/plugin_files.js';

/** Collects what the loader reports. */
function recorder() {
  const lines: string[] = [];
  const note = (level: string) => (message: string) => lines.push(`${level} ${message}`);
  return { lines, info: note('info'), warn: note('warn') };
}

function bareLoader(t: TestContext, files: Files, options: Partial<LoaderOptions> = {}): EggLoader {
  return new EggLoader({ baseDir: writeApp(t, files), app: {}, logger: recorder(), ...options });
}

test('a bare EggLoader reads plugins and config of an app that is not there', (t) => {
  const loader = bareLoader(
    t,
    {
      ...declare({ a: {}, b: { enable: false } }),
      ...plugin('a', { dependencies: ['b'] }),
      ...plugin('b'),
      'config/config.default.js': 'module.exports = (info) => ({ where: info.root });',
      'config/config.sit.js': 'exports.sit = true;',
    },
    { env: 'sit', serverScope: 'en' },
  );
  loader.loadPlugin();
  loader.loadConfig();
  assert.deepEqual(Object.keys(loader.plugins), ['b', 'a']);
  assert.equal(loader.config['sit'], true);
  assert.equal(loader.config['where'], loader.getHomedir());
  assert.equal(loader.getServerScope(), '');
  assert.equal(loader.serverScope, 'en');
  assert.equal(loader.pkg.name, 'demo');
  assert.equal(loader.getAppname(), 'demo');
  assert.deepEqual(loader.getAppInfo(), loader.appInfo);
  assert.deepEqual(loader.getEggPaths(), []);
  assert.deepEqual(loader.getTypeFiles('x'), ['x.default', 'x.en', 'x.sit', 'x.en_sit']);
  assert.ok(loader.getLookupDirs().has(loader.options.baseDir));
  assert.ok(loader.timing.toJSON().some(({ name }) => name === 'Load Config'));
});

test('a bare EggLoader knows the built-in plugins by the prototype of the framework, as egg-ts-helper uses it', (t) => {
  const loader = bareLoader(t, {}, { app: Object.create(Application.prototype) as object });
  loader.loadPlugin();
  loader.loadConfig();
  assert.ok(loader.allPlugins['session']?.enable);
  assert.equal((loader.config['cluster'] as { listen: { port: number } }).listen.port, 7001);
  assert.equal(loader.getLoadUnits().at(-1)?.type, 'app');
});

test('EGG_HOME comes before MOCK_HOME_DIR and the home of the user', (t) => {
  const [home, mock] = [temporaryDirectory(t), temporaryDirectory(t)];
  const homedir = (): string => bareLoader(t, {}).getHomedir();
  setEnvironment(t, { EGG_HOME: home, MOCK_HOME_DIR: mock });
  assert.equal(homedir(), home);
  delete process.env['EGG_HOME'];
  assert.equal(homedir(), mock);
});

for (const key of ['baseDir', 'app', 'logger']) {
  test(`EggLoader without ${key} is refused`, (t) => {
    assert.throws(() => bareLoader(t, {}, { [key]: undefined }), new RegExp(`options\\.${key} is required`));
  });
}

test('implicit enabling, a second package and another name are reported to options.logger', (t) => {
  const logger = recorder();
  const files = {
    ...declare({ a: {}, b: { enable: false } }),
    ...plugin('a', { name: 'other', dependencies: ['b', 'c'] }),
    ...plugin('b'),
    'node_modules/x/package.json': '{ "eggPlugin": { "name": "c" } }',
    'config/plugin.local.js': 'exports.c = { enable: false, package: "x" };',
  };
  const plugins = { c: { enable: false, package: 'x' } };
  setEnvironment(t, { EGG_PLUGINS: undefined });
  const loader = bareLoader(t, files, { logger, plugins, env: 'local' });
  loader.loadPlugin();
  const text = logger.lines.join('\n');
  assert.match(text, /warn plugin "b" is off in .* but is on because "a" needs it/);
  assert.match(text, /warn plugin "c" is declared with package "x" in .* and <options\.plugins>/);
  assert.match(text, /warn plugin "a" is called "other"/);
});

test('a plugin that the framework has off and another one needs is on, with a line in the log', (t) => {
  const files = { ...declare({ a: {} }), ...plugin('a', { dependencies: ['cors'] }) };
  assert.match(coreLog(loadApp(t, files)), /INFO .*plugin "cors" is on because "a" needs it/);
});

test('plugins have the fields that Egg has, and no others', (t) => {
  const { plugins } = loadApp(t, {
    ...declare({ a: {}, b: { enable: false } }),
    ...plugin('a', { dependencies: ['b'] }),
    ...plugin('b'),
  });
  const fields = ['name', 'enable', 'path', 'dependencies', 'optionalDependencies', 'env', 'from', 'version'];
  assert.deepEqual(Reflect.ownKeys(plugins['a'] ?? {}).sort(), [...fields].sort());
  assert.deepEqual(Reflect.ownKeys(plugins['b'] ?? {}).sort(), [...fields, 'implicitEnable', 'dependents'].sort());
});

test('a bare EggCore loads and serves with the steps that its user calls', async (t) => {
  const baseDir = writeApp(t, {
    'app/router.js': `module.exports = (app) => app.get('/', 'home.index');`,
    'app/controller/home.js': `module.exports = class { async index(ctx) { ctx.body = ctx.service.a.b.name() + ctx.mine; } };`,
    'app/service/a/b.js': `module.exports = class { constructor(ctx) { this.ctx = ctx; } name() { return this.ctx.path; } };`,
    'app/extend/context.js': 'module.exports = { mine: "!" };',
    'app/middleware/m.js':
      'module.exports = (options) => (ctx, next) => { ctx.set("x-m", options.v); return next(); };',
    'config/config.default.js': 'module.exports = { middleware: ["m"], m: { v: "1" } };',
    'app.js':
      'module.exports = class { constructor(app) { this.app = app; } async didLoad() { this.app.loaded = true; } };',
  });
  const app = new EggCore({ baseDir, env: 'unittest' });
  t.after(() => app.close());
  assert.ok(app.loader instanceof EggLoader);
  assert.equal(app.plugins, undefined);
  const { loader } = app;
  loader.loadPlugin();
  loader.loadConfig();
  loader.loadContextExtend();
  loader.loadCustomApp();
  loader.loadService();
  loader.loadMiddleware();
  loader.loadController();
  loader.loadRouter();
  const ask = await serve(t, app as Application);
  const { body, headers } = await ask('/');
  assert.equal(body, '/!');
  assert.equal(headers['x-m'], '1');
  assert.equal((app as { loaded?: boolean }).loaded, true);
});

test('controllers and services of a bare EggCore load without config', (t) => {
  const baseDir = writeApp(t, {
    'other/controller/user.js': 'exports.index = async () => undefined;',
    'other/service/user.js': 'module.exports = class {};',
  });
  const app = new EggCore({ baseDir });
  t.after(() => app.close());
  app.loader.loadController({ directory: path.join(baseDir, 'other/controller') });
  app.loader.loadService({ directory: path.join(baseDir, 'other/service') });
  const loaded = app as EggCore & { controller?: object; serviceClasses?: object };
  assert.deepEqual(
    [Object.keys(loaded.controller ?? {}), Object.keys(loaded.serviceClasses ?? {})],
    [['user'], ['user']],
  );
});

test('a framework’s loader gets options and overrides methods, as in Egg', (t) => {
  const files: Files = {
    'lib/plugins/p/package.json': '{ "eggPlugin": { "name": "p" } }',
    'lib/plugins/p/config/config.default.js': 'exports.p = 1;',
    'config/plugin.js': 'exports.p = true;',
    'extra/context.js': 'module.exports = { extra: 1 };',
  };
  class Loader extends AppWorkerLoader {
    got: LoaderOptions;
    constructor(options: LoaderOptions) {
      super(options);
      this.got = options;
    }
    override getAppname(): string {
      return `my-${super.getAppname()}`;
    }
    override getServerEnv(): string {
      return 'mine';
    }
    override getHomedir(): string {
      return this.options.baseDir;
    }
    override getPluginPath(found: Parameters<AppWorkerLoader['getPluginPath']>[0]): string {
      return found.name === 'p' ? path.join(this.options.baseDir, 'lib/plugins/p') : super.getPluginPath(found);
    }
    override getExtendFilePaths(name: string): string[] {
      return [...super.getExtendFilePaths(name), path.join(this.options.baseDir, 'extra', name)];
    }
  }
  class Framework extends Application {
    get [Symbol.for('egg#eggPath') as never]() {
      return this.options.baseDir;
    }
    get [Symbol.for('egg#loader') as never]() {
      return Loader;
    }
  }
  const app = loadApp(t, files, { as: Framework });
  const loader = app.loader as Loader;
  assert.equal(loader.got.app, app);
  assert.equal(app.name, 'my-demo');
  assert.equal(app.config.env, 'mine');
  assert.equal(loader.appInfo.root, app.baseDir);
  assert.equal(app.config['p'], 1);
  assert.equal((app.context as { extra?: number }).extra, 1);
});

test('a class of the chain without eggPath is refused; one that repeats the base’s keeps its place', (t) => {
  class Nameless extends Application {}
  assert.throws(() => loadApp(t, {}, { as: Nameless }), /Symbol\.for\('egg#eggPath'\) is required on Nameless/);
  const [base, top] = [temporaryDirectory(t), temporaryDirectory(t)];
  const at = (dir: string, Base: typeof Application): typeof Application =>
    class extends Base {
      get [Symbol.for('egg#eggPath') as never]() {
        return dir;
      }
    };
  const paths = (as: typeof Application): string[] => loadApp(t, {}, { as }).loader.eggPaths.slice(1);
  assert.deepEqual(paths(at(top, at(base, Application))), [base, top]);
  assert.deepEqual(paths(at(base, at(top, at(base, Application)))), [top, base]);
});

const CORE_PLUGIN: Files = {
  ...declare({ a: {} }),
  ...plugin('a', {}, { 'app.js': 'module.exports = (app) => { app.core = require("egg-core"); };' }),
};

test('a plugin that requires egg-core gets our classes by an alias in package.json', (t) => {
  const files = { ...CORE_PLUGIN, 'node_modules/egg-core/index.js': 'module.exports = require("koa-clutch");' };
  const { core } = loadApp(t, files) as { core?: Record<string, unknown> };
  assert.equal(core?.['EggLoader'], EggLoader);
  assert.equal(core?.['EggCore'], EggCore);
});

for (const name of ['egg-core', '@eggjs/core']) {
  test(`a plugin that requires ${name} without it is told the alias`, (t) => {
    const files = { 'app.js': `require('${name}');` };
    assert.throws(() => loadApp(t, files), new RegExp(`Add "${name}": "npm:koa-clutch" to the dependencies`));
  });
}
