import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Application, type ApplicationOptions } from 'koa-clutch';
import { temporaryDirectory } from '../support/apps.js';
import { setEnvironment } from '../support/environment.js';
import { type Files, loadApp, writeApp } from '../support/loaded_app.js';

const EGG_PATH = Symbol.for('egg#eggPath');

function appInfo(t: Parameters<typeof loadApp>[0], files: Files = {}, options: ApplicationOptions = {}) {
  return loadApp(t, files, { env: undefined, ...options }).loader.appInfo;
}

test('core 7.1 NODE_ENV gives env and root', (t) => {
  const home = temporaryDirectory(t);
  setEnvironment(t, { EGG_SERVER_ENV: undefined, EGG_HOME: home, NODE_ENV: undefined });
  const local = appInfo(t);
  assert.equal(local.env, 'local');
  assert.equal(local.root, local.baseDir);
  process.env['NODE_ENV'] = 'production';
  const prod = appInfo(t);
  assert.equal(prod.env, 'prod');
  assert.equal(prod.root, home);
});

test('core 7.2 config/env wins over EGG_SERVER_ENV, unless it is empty', (t) => {
  setEnvironment(t, { EGG_SERVER_ENV: 'prod', EGG_HOME: temporaryDirectory(t) });
  assert.equal(appInfo(t, { 'config/env': ' sit \n' }).env, 'sit');
  assert.equal(appInfo(t, { 'config/env': '\n' }).env, 'prod');
});

test('core 7.3 options.env wins over config/env', (t) => {
  setEnvironment(t, { EGG_HOME: temporaryDirectory(t) });
  assert.equal(appInfo(t, { 'config/env': 'sit' }, { env: 'opt' }).env, 'opt');
});

test('core 7.4 an empty serverScope wins over EGG_SERVER_SCOPE', (t) => {
  setEnvironment(t, { EGG_SERVER_SCOPE: 'en' });
  assert.equal(loadApp(t, {}, { serverScope: '' }).loader.serverScope, '');
  assert.equal(loadApp(t).loader.serverScope, 'en');
});

test('core 7.5 a package.json without a name is an error that names the file', (t) => {
  assert.throws(() => loadApp(t, { 'package.json': '{}' }), /name is required from .*package\.json/);
});

test('core 7.6 a framework path that the top level repeats is listed once, where it is most derived', (t) => {
  const [base, middle] = [writeApp(t), writeApp(t)];
  class Base extends Application {
    get [EGG_PATH as never]() {
      return base;
    }
  }
  class Middle extends Base {
    get [EGG_PATH as never]() {
      return middle;
    }
  }
  class Top extends Middle {
    get [EGG_PATH as never]() {
      return base;
    }
  }
  const { eggPaths } = loadApp(t, {}, { as: Top }).loader;
  assert.deepEqual(eggPaths.slice(1), [middle, base]);
  assert.equal(eggPaths.length, 3);
});
