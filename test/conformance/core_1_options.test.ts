import assert from 'node:assert/strict';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { Application, type ApplicationOptions } from 'koa-clutch';
import { temporaryDirectory } from '../support/apps.js';
import { setEnvironment } from '../support/environment.js';
import { frameworkAt, loadAgent, loadApp, writeApp } from '../support/loaded_app.js';
import { declare, plugin, pluginNames } from '../support/plugin_files.js';

test('core 1.1.baseDir is the current directory by default, and the options given are app.options', (t) => {
  const dir = writeApp(t);
  const before = process.cwd();
  t.after(() => process.chdir(before));
  process.chdir(dir);
  const options: ApplicationOptions = { env: 'unittest', mode: 'single' };
  const app = new Application(options);
  t.after(() => app.close());
  assert.equal(path.basename(app.baseDir), path.basename(dir));
  assert.equal(app.options, options);
});

test('core 1.1.type is application or agent, whatever is given', (t) => {
  assert.equal(loadApp(t, {}, { type: 'agent' }).type, 'application');
  assert.equal(loadAgent(t, {}, { type: 'application' }).type, 'agent');
});

test('core 1.1.plugins win over EGG_PLUGINS and files', (t) => {
  setEnvironment(t, { EGG_PLUGINS: '{"a":true}' });
  const files = { ...declare({ a: { enable: false } }), ...plugin('a') };
  assert.deepEqual(pluginNames(loadApp(t, files)), ['a']);
  assert.deepEqual(pluginNames(loadApp(t, files, { plugins: { a: false } })), []);
});

test('core 1.1.serverScope wins over EGG_SERVER_SCOPE', (t) => {
  setEnvironment(t, { EGG_SERVER_SCOPE: 'en' });
  assert.equal(loadApp(t, {}, { serverScope: 'zh' }).loader.serverScope, 'zh');
});

test('core 1.1.env wins over files and variables, and is trimmed', (t) => {
  setEnvironment(t, { EGG_SERVER_ENV: 'prod', EGG_HOME: temporaryDirectory(t) });
  assert.equal(loadApp(t, { 'config/env': 'sit' }, { env: ' mine ' }).config.env, 'mine');
});

test('core 1.1.clusterPort is kept in options', (t) => {
  assert.equal(loadApp(t, {}, { clusterPort: 12_345 }).options.clusterPort, 12_345);
});

test('core 1.1.mode single delivers messages in the process', async (t) => {
  const { messenger } = loadApp(t, {}, { mode: 'single', localBus: undefined });
  assert.equal(messenger.sendToAgent('x'), messenger);
});

test('core 1.1.pathToRegexpModule has no meaning: patterns are those of path-to-regexp 1', async (t) => {
  const app = loadApp(t, {}, { pathToRegexpModule: '/no/module' } as ApplicationOptions);
  app.get('any', '/any/(.*)', async () => undefined);
  assert.equal(app.router.match('/any/a/b', 'GET').route, true);
});

const refusals: [id: string, what: string, load: (t: TestContext) => unknown, message: RegExp][] = [
  ['baseDir', 'baseDir that is no string', () => new Application({ baseDir: 1 as never }), /baseDir/],
  ['missing', 'a directory that is missing', () => new Application({ baseDir: '/no/dir' }), /\/no\/dir does not exist/],
  [
    'file',
    'baseDir that is a file',
    () => new Application({ baseDir: path.resolve('package.json') }),
    /not a directory/,
  ],
  [
    'json',
    'package.json that is no JSON',
    (t) => loadApp(t, { 'package.json': '{' }),
    /package\.json is not valid JSON/,
  ],
  [
    'name',
    'package.json without a name',
    (t) => loadApp(t, { 'package.json': '{}' }),
    /name is required from .*package/,
  ],
  ['eggPath', 'eggPath that is no string', (t) => loadApp(t, {}, { as: frameworkAt(1) }), /eggPath/],
  ['eggPathMissing', 'eggPath that is missing', (t) => loadApp(t, {}, { as: frameworkAt('/no/path') }), /\/no\/path/],
  ['loader', 'a loader that is missing', (t) => loadApp(t, {}, { as: withoutLoader }), /egg#loader'\) is required/],
];

const withoutLoader = class extends Application {
  get [Symbol.for('egg#loader') as never]() {
    return undefined;
  }
};

for (const [id, what, load, message] of refusals) {
  test(`core 1.2.${id} refuses ${what}`, (t) => assert.throws(() => load(t), message));
}

test('core 1.2.readyTimeout refuses EGG_READY_TIMEOUT_ENV that is no number, and reads 5s as 5', (t) => {
  setEnvironment(t, { EGG_READY_TIMEOUT_ENV: 'soon' });
  assert.throws(() => loadApp(t), /EGG_READY_TIMEOUT_ENV is "soon"/);
  process.env['EGG_READY_TIMEOUT_ENV'] = '5s';
  loadApp(t);
});
