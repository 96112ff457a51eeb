import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Application, start, startCluster } from 'koa-clutch';
import { loadApp, serve, writeApp, written } from '../support/loaded_app.js';

const EGG_PATH = Symbol.for('egg#eggPath');

/** A framework in node_modules, as a package of its own that extends Clutch. */
const FRAMEWORK = {
  'node_modules/yadan/package.json': '{ "name": "yadan", "version": "1.0.0", "main": "index.js" }',
  'node_modules/yadan/index.js': `const egg = require('egg');
    const EGG_PATH = Symbol.for('egg#eggPath');
    class Application extends egg.Application { get [EGG_PATH]() { return __dirname; } }
    class Agent extends egg.Agent { get [EGG_PATH]() { return __dirname; } }
    module.exports = { ...egg, Application, Agent };`,
  'node_modules/yadan/config/config.default.js':
    'exports.from = "yadan"; exports.only = "yadan"; exports.logger = { consoleLevel: "NONE" };',
  'node_modules/yadan/app/extend/context.js': 'exports.framework = "yadan";',
  'node_modules/yadan/app/service/hello.js': 'module.exports = class { hi() { return "hi"; } };',
  'node_modules/yadan/app.js': 'module.exports = (app) => { app.order = ["yadan"]; };',
  'node_modules/yadan/app/router.js': 'throw new Error("a framework has no router");',
};

const APP = {
  'package.json': '{ "name": "demo", "egg": { "framework": "yadan" } }',
  'config/config.default.js': 'exports.from = "app";',
  'app.js': 'module.exports = (app) => { app.order.push("app"); };',
  'app/router.js':
    'module.exports = (app) => app.get("/", async (ctx) => { ctx.body = [ctx.framework, ctx.service.hello.hi(), app.order, app.config.from, app.config.only]; });',
};

test('a framework named by egg.framework is a load unit between plugins and app', async (t) => {
  const baseDir = writeApp(t, { ...FRAMEWORK, ...APP });
  const app = await start({ baseDir, env: 'unittest' });
  t.after(() => app.close());
  assert.equal(
    (await (await serve(t, app))('/')).body,
    JSON.stringify(['yadan', 'hi', ['yadan', 'app'], 'app', 'yadan']),
  );
  assert.deepEqual(
    app.loader.getLoadUnits().flatMap(({ type }) => (type === 'plugin' ? [] : [type])),
    ['framework', 'framework', 'app'],
  );
});

test('a path that two levels name counts once, where it is most derived', (t) => {
  const top = loadApp(t).loader.eggPaths[0] as string;
  const dir = writeApp(t);
  class Middle extends Application {
    get [EGG_PATH as never]() {
      return dir;
    }
  }
  class Top extends Middle {
    get [EGG_PATH as never]() {
      return top;
    }
  }
  assert.deepEqual(loadApp(t, {}, { as: Top }).loader.eggPaths, [dir, top]);
});

test('a framework whose path does not exist is refused', (t) => {
  class Broken extends Application {
    get [EGG_PATH as never]() {
      return '/nowhere';
    }
  }
  assert.throws(() => loadApp(t, {}, { as: Broken }), {
    code: 'ERR_CLUTCH_FRAMEWORK',
    message: /eggPath.* of Broken is \/nowhere/,
  });
});

test('a framework that is not installed is refused with where was looked', async (t) => {
  const baseDir = writeApp(t, { 'package.json': '{ "name": "demo", "egg": { "framework": "nope" } }' });
  await assert.rejects(start({ baseDir }), {
    code: 'ERR_CLUTCH_FRAMEWORK',
    message: /nope is not found in .*node_modules/,
  });
  await assert.rejects(startCluster({ baseDir }), { code: 'ERR_CLUTCH_FRAMEWORK' });
});

test('run/router.json holds the routes', async (t) => {
  const app = loadApp(t, { 'app/router.js': 'module.exports = (app) => app.get("/", async () => {});' });
  await written(app);
  assert.ok(existsSync(path.join(app.baseDir, 'run/router.json')));
});
