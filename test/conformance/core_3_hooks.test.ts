import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { start } from 'koa-clutch';
import { until } from '../support/apps.js';
import { loadApp, writeApp } from '../support/loaded_app.js';

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
