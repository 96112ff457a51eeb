import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { start } from 'koa-clutch';
import { until } from '../support/apps.js';
import { setEnvironment } from '../support/environment.js';
import { coreLog, loadApp, writeApp } from '../support/loaded_app.js';
import { declare, plugin } from '../support/plugin_files.js';

/** A Boot class that notes its hooks in `app.trace`, with the given bodies after the note. */
function boot(who: string, hooks: Record<string, string> = {}): string {
  const all = { configWillLoad: '', configDidLoad: '', didLoad: '', willReady: '', didReady: '', serverDidReady: '' };
  const methods = Object.entries({ ...all, beforeClose: '', ...hooks }).map(([name, body]) => {
    const isAsync = name.startsWith('config') ? '' : 'async ';
    return `${isAsync}${name}(...args) { this.app.trace.push('${who} ${name}'); ${body} }`;
  });
  return `module.exports = class { constructor(app) { this.app = app; (app.trace ??= []).push('${who} new'); } ${methods.join('\n')} };`;
}

const trace = (app: object): string[] => Reflect.get(app, 'trace') as string[];

test('core 7.55 hooks run in this order, a function of app.js in the place of configDidLoad', async (t) => {
  const baseDir = writeApp(t, {
    ...declare({ p1: {}, p2: {} }),
    ...plugin('p1', {}, { 'app.js': boot('p1') }),
    ...plugin(
      'p2',
      { dependencies: ['p1'] },
      {
        'app.js': `module.exports = (app) => { app.trace.push('p2 function');
          app.beforeStart(async () => app.trace.push('p2 beforeStart')); };`,
      },
    ),
    'app.js': boot('app'),
    'app/router.js': 'module.exports = (app) => app.trace.push("router");',
  });
  const app = await start({ baseDir, env: 'unittest' });
  await until('serverDidReady ran', () => trace(app).includes('app serverDidReady'));
  const seen = trace(app);
  assert.deepEqual(seen.slice(0, 8), [
    'p1 new',
    'app new',
    'p1 configWillLoad',
    'app configWillLoad',
    'p1 configDidLoad',
    'p2 function',
    'app configDidLoad',
    'router',
  ]);
  assert.deepEqual(seen.slice(8, 11).sort(), ['app didLoad', 'p1 didLoad', 'p2 beforeStart']);
  assert.deepEqual(seen.slice(11, 13), ['p1 willReady', 'app willReady']);
  const after = seen.slice(13);
  for (const name of ['didReady', 'serverDidReady']) {
    assert.ok(after.indexOf(`p1 ${name}`) >= 0 && after.indexOf(`p1 ${name}`) < after.indexOf(`app ${name}`));
  }
  await app.close();
  assert.deepEqual(trace(app).slice(-2), ['app beforeClose', 'p1 beforeClose']);
});

test('core 7.56 when didLoad rejects, ready rejects and didReady gets the error', async (t) => {
  const app = loadApp(t, {
    'app.js': boot('app', {
      didLoad: 'throw new Error("no database");',
      didReady: 'this.app.given = args[0];',
    }),
    'config/config.default.js': 'exports.logger = { consoleLevel: "NONE" };',
  });
  await assert.rejects(app.ready(), /no database/);
  await until('didReady ran', () => trace(app).includes('app didReady'));
  assert.match((Reflect.get(app, 'given') as Error).message, /no database/);
  assert.equal(trace(app).includes('app willReady'), false);
  await app.close();
  assert.equal(trace(app).at(-1), 'app beforeClose');
});

test('core 7.57 an error of didReady is an error event, and ready is not affected', async (t) => {
  const app = loadApp(t, {
    'app.js': boot('app', { didReady: 'throw new Error("late");' }),
    'config/config.default.js': 'exports.logger = { consoleLevel: "NONE" };',
  });
  const failed = once(app, 'error');
  await app.ready();
  assert.match(((await failed)[0] as Error).message, /late/);
});

// Unlike Egg, one that throws does not keep the others from running: see docs/differences.md.
test('core 7.58 close runs in reverse; one that throws makes both calls reject', async (t) => {
  const ran: number[] = [];
  const app = loadApp(t);
  await app.ready();
  app.beforeClose(() => void ran.push(1));
  app.beforeClose(() => {
    ran.push(2);
    throw new Error('cannot close');
  });
  app.beforeClose(() => void ran.push(3));
  await assert.rejects(app.close(), /cannot close/);
  await assert.rejects(app.close(), /cannot close/);
  assert.deepEqual(ran, [3, 2, 1]);
});

test('core 7.59 a closed app takes no closer, and one that is given twice runs once', async (t) => {
  let ran = 0;
  const closer = (): void => void (ran += 1);
  const app = loadApp(t);
  await app.ready();
  app.beforeClose(closer);
  app.beforeClose(closer);
  await app.close();
  assert.equal(ran, 1);
  assert.throws(() => app.beforeClose(closer), /app has been closed/);
});

test('core 7.60 a task slower than EGG_READY_TIMEOUT_ENV emits ready_timeout, and the app becomes ready', async (t) => {
  setEnvironment(t, { EGG_READY_TIMEOUT_ENV: '20' });
  const app = loadApp(t);
  let end = (): void => undefined;
  const work = new Promise<void>((resolve) => {
    end = resolve;
  });
  app.beforeStart(() => work, 'slow');
  const [name] = await once(app, 'ready_timeout');
  assert.equal(name, 'slow');
  end();
  await app.ready();
});

test('core 7.61 workerStartTimeout emits startTimeout, is logged, and fails the boot', async (t) => {
  const app = loadApp(t, {
    'config/config.default.js': 'exports.workerStartTimeout = 50; exports.logger = { consoleLevel: "NONE" };',
    'app.js':
      'module.exports = (app) => app.beforeStart(() => new Promise((resolve) => { app.end = resolve; }), "slow");',
  });
  const timedOut = once(app, 'startTimeout');
  await assert.rejects(app.ready(), /50 ms[\s\S]*slow/);
  await timedOut;
  (Reflect.get(app, 'end') as () => void)();
  await app.close();
  const log = readFileSync(path.join(app.baseDir, 'logs/demo/common-error.log'), 'utf8');
  assert.match(log, /50 ms/);
});

async function awaits(t: TestContext, hook: string): Promise<boolean> {
  const app = loadApp(t, {
    'app.js': `module.exports = class { constructor(app) { this.app = app; }
      async ${hook}() { this.app.beforeStart(async () => {
        for (let i = 0; i < 20; i += 1) await new Promise(setImmediate);
        this.app.ended = true; }); } };`,
  });
  await app.ready();
  const wasAwaited = Reflect.get(app, 'ended') === true;
  await until('it ended', () => Reflect.get(app, 'ended') === true);
  return wasAwaited;
}

test('core 7.62 beforeStart is awaited from within another one, and not from willReady', async (t) => {
  assert.equal(await awaits(t, 'didLoad'), true);
  assert.equal(await awaits(t, 'willReady'), false);
});

test('core 7.63 app.js that exports a plain object is a warning', async (t) => {
  const app = loadApp(t, { 'app.js': 'module.exports = { a: 1 };' });
  await app.ready();
  assert.match(coreLog(app), /app\.js must export a class or a function/);
});
