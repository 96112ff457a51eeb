import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import * as exported from 'koa-clutch';
import { start } from 'koa-clutch';
import { fixture, ROOT, temporaryDirectory, until } from '../support/apps.js';
import { type Files, frameworkAt, loadAgent, loadApp, writeApp } from '../support/loaded_app.js';
import { runScript } from '../support/script.js';
import { logged, serveExpression } from '../support/served_app.js';

const QUIET: Files = { 'config/config.unittest.js': 'exports.logger = { consoleLevel: "NONE" };' };

test('core 1.3.sync config and all files are loaded when the constructor returns', (t) => {
  const app = loadApp(t, {
    ...QUIET,
    'app/controller/home.js': 'exports.index = async () => {};',
    'app/service/user.js': 'module.exports = class {};',
  });
  assert.equal(app.config.env, 'unittest');
  assert.ok(Reflect.get(app.controller, 'home'));
  assert.ok(Reflect.get(Reflect.get(app, 'serviceClasses') as object, 'user'));
});

test('core 1.3.throws an error of loading escapes from the constructor', (t) => {
  assert.throws(() => loadApp(t, { ...QUIET, 'app/router.js': 'throw new Error("in a file");' }), /in a file/);
});

test('core 1.7.keepAlive an Agent that is ready keeps its process alive until it closes', async (t) => {
  const agent = loadAgent(t, QUIET, { plugins: { schedule: false, logrotator: false, multipart: false } });
  await agent.ready();
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  agent.messenger._onMessage({ action: 'egg-ready', data: {} });
  assert.equal(timers(), before + 1);
  await agent.close();
  assert.ok(timers() <= before);
});

test('core 1.7.exception the Agent survives an uncaught exception, and logs it by another name', async (t) => {
  const agent = loadAgent(t, QUIET, { mode: 'cluster' });
  await agent.ready();
  const errors: Error[] = [];
  agent.coreLogger.error = (error: unknown) => void errors.push(error as Error);
  const listener = process.listeners('uncaughtException').at(-1) as (error: Error) => void;
  listener(new Error('thrown'));
  assert.deepEqual([errors[0]?.name, errors[0]?.message], ['unhandledExceptionError', 'thrown']);
});

test('core 1.7.loads an Agent loads extend files and agent.js, and neither services nor a router', async (t) => {
  const agent = loadAgent(t, {
    ...QUIET,
    'agent.js': 'module.exports = (agent) => { agent.loaded = true; };',
    'app.js': 'throw new Error("not for the Agent");',
    'app/extend/agent.js': 'module.exports = { extended: true };',
    'app/extend/context.js': 'module.exports = { who: "ctx" };',
    'app/service/user.js': 'throw new Error("not for the Agent");',
    'app/router.js': 'throw new Error("not for the Agent");',
  });
  await agent.ready();
  assert.deepEqual([Reflect.get(agent, 'loaded'), Reflect.get(agent, 'extended')], [true, true]);
  const ctx = agent.createAnonymousContext();
  assert.deepEqual([Reflect.get(ctx, 'who'), Reflect.get(ctx, 'service')], ['ctx', undefined]);
});

test('core 1.7.koa is loaded in an Agent when something of it is used', async (t) => {
  const script = `import { Agent } from 'koa-clutch';
    const agent = new Agent({ env: 'unittest', mode: 'single' });
    const { default: Koa } = await import(${JSON.stringify(import.meta.resolve('koa'))});
    console.log('is a Koa', agent instanceof Koa, typeof agent.context, agent instanceof Koa);
    await agent.close();`;
  const { output } = await runScript(t, writeApp(t, QUIET), script);
  assert.match(output, /is a Koa false object true/);
});

test('core 1.9.members of a base class are own properties, its name and file are on the prototype', async (t) => {
  const { app, evaluate } = await serveExpression(t, 'ctx.service.admin.user.describe()', '', {
    'app/service/admin/user.js': `module.exports = class extends require('egg').Service {
      describe() {
        const own = Object.keys(this).filter((name) => ['ctx', 'app', 'config', 'service'].includes(name));
        const proto = Object.getPrototypeOf(this);
        return { own, pathName: proto.pathName, fullPath: proto.fullPath, same: this.ctx.service === this.service };
      } };`,
  });
  assert.deepEqual(await evaluate(), {
    own: ['ctx', 'app', 'config', 'service'],
    pathName: 'service.admin.user',
    fullPath: path.join(app.baseDir, 'app/service/admin/user.js'),
    same: true,
  });
});

test('core 1.9.logger of a base class has its name in front of the text', async (t) => {
  const { app, evaluate } = await serveExpression(t, 'ctx.service.user.find()', '', {
    'app/service/user.js': `module.exports = class extends require('egg').Service {
      find() { this.logger.warn('found %s', 1); return ['debug', 'info', 'warn', 'error'].map((name) => typeof this.logger[name]); } };`,
  });
  assert.deepEqual(await evaluate(), ['function', 'function', 'function', 'function']);
  await logged(app, 'demo-web.log', /WARN .* \[service\.user\] found 1/);
});

test('core 1.9.Boot has logger and config, and only the side that it runs on', (t) => {
  const boot = `const { Boot } = require('egg');
    module.exports = class extends Boot { configDidLoad() { Object.assign(globalThis, { boot: this }); } };`;
  const app = loadApp(t, { ...QUIET, 'app.js': boot });
  const ofApp = Reflect.get(globalThis, 'boot') as exported.Boot;
  assert.deepEqual([ofApp.app, ofApp.config, ofApp.logger], [app, app.config, app.logger]);
  assert.throws(() => ofApp.agent, /runs in the Application/);
  const agent = loadAgent(t, { ...QUIET, 'agent.js': boot });
  const ofAgent = Reflect.get(globalThis, 'boot') as exported.Boot;
  assert.equal(ofAgent.agent, agent);
  assert.throws(() => ofAgent.app, /runs in the Agent/);
});

const EXPORTS = [
  ...['startCluster', 'start', 'Application', 'Agent', 'AppWorkerLoader', 'AgentWorkerLoader'],
  ...['Controller', 'Service', 'Subscription', 'BaseContextClass', 'Boot'],
];
test('core 1.9.exports are those of Egg 3', () => {
  for (const name of EXPORTS) assert.equal(typeof Reflect.get(exported, name), 'function', name);
});

test('core 1.10.eggPaths are those of the classes, base first', (t) => {
  const [base, derived] = [writeApp(t), writeApp(t)];
  const Derived = frameworkAt(derived, frameworkAt(base));
  assert.deepEqual(loadApp(t, QUIET, { as: Derived }).loader.eggPaths, [
    path.join(ROOT, 'dist/framework'),
    base,
    derived,
  ]);
});

test('core 1.10.unit a framework contributes everything but a router and controllers', async (t) => {
  const dir = writeApp(t, {
    'config/config.default.js': 'exports.fromFramework = true;',
    'app/extend/context.js': 'module.exports = { who: "framework" };',
    'app/service/user.js': 'module.exports = class { name() { return "ada"; } };',
    'app/middleware/mark.js': 'module.exports = () => (ctx, next) => next();',
    'app.js': 'module.exports = (app) => { app.booted = true; };',
    'app/router.js': 'throw new Error("not of a framework");',
    'app/controller/home.js': 'throw new Error("not of a framework");',
  });
  const app = loadApp(t, QUIET, { as: frameworkAt(dir) });
  const ctx = app.createAnonymousContext();
  const { user } = ctx.service as never as { user: { name(): string } };
  assert.deepEqual(
    [app.config['fromFramework'], Reflect.get(app, 'booted'), Reflect.get(ctx, 'who'), user.name()],
    [true, true, 'framework', 'ada'],
  );
  assert.equal(typeof Reflect.get(app.middlewares, 'mark'), 'function');
});

test('core 1.10.start() links Agent and app, emits egg-ready and does not listen', async (t) => {
  const hook = (who: string): string => `module.exports = class {
    async didReady() { (globalThis.started ??= []).push('${who} is ready'); }
    async serverDidReady() { globalThis.started.push('${who} has egg-ready'); } };`;
  const options = {
    baseDir: writeApp(t, { ...QUIET, 'agent.js': hook('agent'), 'app.js': hook('app') }),
    env: 'unittest',
  };
  const app = await start(options);
  t.after(() => app.close());
  assert.equal((app.agent as unknown as { application: unknown }).application, app);
  assert.deepEqual([app.options.mode, app.server], ['single', null]);
  assert.notEqual(app.options, options);
  const started = Reflect.get(globalThis, 'started') as string[];
  await until('both have egg-ready', () => started.length === 4);
  assert.equal(started[0], 'agent is ready');
  assert.deepEqual(started.slice(2).sort(), ['agent has egg-ready', 'app has egg-ready']);
});

test('core 1.10.framework of package.json is used by start(); a path must exist', async (t) => {
  const framework = writeApp(t, {
    'package.json': '{ "name": "my-framework", "main": "index.js" }',
    'index.js': `const egg = require('egg');
      class Application extends egg.Application { get [Symbol.for('egg#eggPath')]() { return __dirname; } }
      class Agent extends egg.Agent { get [Symbol.for('egg#eggPath')]() { return __dirname; } }
      module.exports = { ...egg, Application, Agent };`,
  });
  const app = await start({ baseDir: writeApp(t, QUIET), env: 'unittest', framework });
  t.after(() => app.close());
  assert.equal(app.loader.eggPaths.at(-1), framework);
  await assert.rejects(
    start({ baseDir: fixture('egg-app'), framework: path.join(temporaryDirectory(t), 'none') }),
    /none/,
  );
});

test('core 1.10.arrays a framework that sets coreMiddleware drops the list of its base', (t) => {
  const dir = writeApp(t, {
    'config/config.default.js': 'exports.coreMiddleware = ["meta"];',
  });
  const { coreMiddleware } = loadApp(t, QUIET, { as: frameworkAt(dir) }).config;
  assert.ok(!coreMiddleware.includes('notfound') && coreMiddleware.includes('meta'), String(coreMiddleware));
});
