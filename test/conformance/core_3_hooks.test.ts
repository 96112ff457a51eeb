import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { start } from 'koa-clutch';
import { until } from '../support/apps.js';
import { setEnvironment } from '../support/environment.js';
import { loadApp, writeApp } from '../support/loaded_app.js';
import { logged } from '../support/served_app.js';

const QUIET = { 'config/config.unittest.js': 'exports.logger = { consoleLevel: "NONE" };' };

/** An app whose Boot class has the given methods, and notes in `app.ran` which of these it runs. */
function withHooks(t: TestContext, hooks: Record<string, string>) {
  const methods = Object.entries(hooks).map(
    ([name, body]) => `${name}(error) { this.app.ran.push('${name}'); ${body} }`,
  );
  return loadApp(t, {
    ...QUIET,
    'app.js': `module.exports = class { constructor(app) { this.app = app; app.ran = []; } ${methods.join('\n')} };`,
  });
}

const ran = (app: object): string[] => Reflect.get(app, 'ran') as string[];

test('core 3.1.constructor throws out of the load', (t) => {
  const file = 'module.exports = class { constructor() { throw new Error("in the constructor"); } };';
  assert.throws(() => loadApp(t, { ...QUIET, 'app.js': file }), /in the constructor/);
});

for (const hook of ['configWillLoad', 'configDidLoad']) {
  test(`core 3.1.${hook} throws out of the load`, (t) => {
    assert.throws(() => withHooks(t, { [hook]: `throw new Error("in ${hook}");` }), new RegExp(`in ${hook}`));
  });
}

for (const hook of ['didLoad', 'willReady']) {
  test(`core 3.1.${hook} that rejects makes ready reject, with an error event`, async (t) => {
    const app = withHooks(t, { [`async ${hook}`]: `throw new Error("in ${hook}");` });
    const failed = once(app, 'error');
    await assert.rejects(app.ready(), new RegExp(`in ${hook}`));
    assert.match(((await failed)[0] as Error).message, new RegExp(`in ${hook}`));
  });
}

test('core 3.1.didReady gets undefined after a success, and ready does not wait for it', async (t) => {
  const app = withHooks(t, { 'async didReady': 'await this.app.go; this.app.given = [error];' });
  let go = (): void => undefined;
  const waits = new Promise<void>((resolve) => {
    go = resolve;
  });
  Object.assign(app, { go: waits });
  await app.ready();
  assert.equal(Reflect.get(app, 'given'), undefined);
  go();
  await until('it has ended', () => Reflect.get(app, 'given'));
  assert.deepEqual(Reflect.get(app, 'given'), [undefined]);
});

test('core 3.1.serverDidReady runs on egg-ready, its error is an error event', async (t) => {
  const app = await start({
    env: 'unittest',
    baseDir: writeApp(t, {
      ...QUIET,
      'app.js': `module.exports = class { constructor(app) { app.on('error', (error) => { app.failure = error; }); }
        async serverDidReady() { throw new Error('in serverDidReady'); } };`,
    }),
  });
  t.after(() => app.close());
  const error = await until('it has failed', () => Reflect.get(app, 'failure') as Error | undefined);
  assert.match(error.message, /in serverDidReady/);
});

test('core 3.1.beforeClose that rejects makes close reject', async (t) => {
  const app = withHooks(t, { 'async beforeClose': 'throw new Error("in beforeClose");' });
  await app.ready();
  await assert.rejects(app.close(), /in beforeClose/);
  assert.deepEqual(ran(app), ['async beforeClose']);
});

test('core 3.2.late hooks cannot be added once the lifecycle has begun', (t) => {
  const app = loadApp(t);
  assert.throws(() => app.lifecycle.addBootHook(class {}), /do not add hook when lifecycle has been initialized/);
  assert.throws(() => app.lifecycle.addFunctionAsBootHook(() => undefined), /do not add hook/);
  assert.throws(() => app.lifecycle.init(), /lifecycle has been initialized/);
});

test('core 3.3.readyCallback delays ready; errors of weak dependencies do not count', async (t) => {
  const app = loadApp(t);
  const [done, weak] = [app.readyCallback('strong'), app.readyCallback('weak', { isWeakDep: true })];
  let isReady = false;
  app.ready(() => {
    isReady = true;
  });
  weak(new Error('weak'));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(isReady, false);
  done();
  await app.ready();
});

test('core 3.3.ready takes a callback, also later and after a failure', async (t) => {
  const app = withHooks(t, { 'async didLoad': 'throw new Error("no");' });
  const first = new Promise((resolve) => app.ready(resolve));
  assert.match(((await first) as Error).message, /no/);
  const later = new Promise((resolve) => app.ready(resolve));
  assert.equal(await later, await first);
});

test('core 3.3.beforeStart takes functions only', (t) => {
  assert.throws(() => loadApp(t).beforeStart('x' as never), /takes a function/);
});

test('core 3.6.close runs once, for two calls', async (t) => {
  const app = withHooks(t, { 'async beforeClose': '' });
  await app.ready();
  let closed = 0;
  app.on('close', () => {
    closed += 1;
  });
  await Promise.all([app.close(), app.close()]);
  assert.deepEqual(ran(app), ['async beforeClose']);
  assert.equal(closed, 1);
});

test('core 3.4.timeout a slow task is an event on app and lifecycle and a log line, and ready still comes', async (t) => {
  setEnvironment(t, { EGG_READY_TIMEOUT_ENV: '20' });
  const app = withHooks(t, { didLoad: 'return new Promise((done) => { this.app.done = done; });' });
  const [onApp, onLifecycle] = [once(app, 'ready_timeout'), once(app.lifecycle, 'ready_timeout')];
  const id = `${app.baseDir}/app.js:didLoad`;
  assert.deepEqual([(await onApp)[0], (await onLifecycle)[0]], [id, id]);
  await logged(app, 'egg-web.log', /0\.02 seconds later .*app\.js:didLoad was still unable to finish/);
  (Reflect.get(app, 'done') as () => void)();
  await app.ready();
});

test('core 3.4.stat names a task that has ended and those that remain', async (t) => {
  const app = withHooks(t, {});
  const [first] = [once(app, 'ready_stat'), app.beforeStart(() => undefined, 'first')];
  const done = app.readyCallback('second');
  const stat = (await first)[0] as { id: string; remain: string[] };
  assert.ok(stat.remain.includes('second'), JSON.stringify(stat));
  done();
  await app.ready();
});

test('core 3.4.startTimeout is an event, names what is not finished, and fails the boot', async (t) => {
  const app = loadApp(t, {
    'config/config.unittest.js': 'exports.logger = { consoleLevel: "NONE" }; exports.workerStartTimeout = 50;',
    'app.js':
      'module.exports = class { didLoad() { return new Promise(() => setInterval(() => {}, 1000).unref()); } };',
  });
  const late = once(app, 'startTimeout');
  await assert.rejects(app.ready(), /not ready after 50 ms.*didLoad at .*app\.js/s);
  await late;
});

test('core 3.5.routing errors of hooks are error events of the app, and logged', async (t) => {
  const app = withHooks(t, { 'async didReady': 'throw new Error("after ready");' });
  const failed = once(app, 'error');
  await app.ready();
  assert.match(((await failed)[0] as Error).message, /after ready/);
  await logged(app, 'common-error.log', /after ready/);
});

test('core 3.6.beforeClose takes functions only', (t) => {
  assert.throws(() => loadApp(t).beforeClose('x' as never), /takes a function/);
});

test('core 3.6.event close comes last, and no listener is left', async (t) => {
  const app = withHooks(t, { 'async beforeClose': '' });
  await app.ready();
  const seen: string[] = [];
  app.on('close', () => seen.push('close'));
  app.beforeClose(() => void seen.push('closer'));
  await app.close();
  assert.deepEqual(seen, ['closer', 'close']);
  assert.deepEqual(app.eventNames(), []);
});
