import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { isAlive, launch, until } from '../../support/apps.js';
import { loadApp, writeApp } from '../../support/loaded_app.js';
import { runScript } from '../../support/script.js';

const CONFIG = { 'config/config.default.js': 'exports.keys = "k";' };

/** Once the script calls `goOn`, holds a handle that keeps the process alive until the close hook for it has run. */
const OPEN_LATE = `globalThis.goOn = () => {
  const handle = setInterval(() => {}, 1000);
  app.beforeClose(() => { clearInterval(handle); console.log('late hook'); });
  done();
}`;

const boot = (hook: string, body: string): string => `module.exports = class {
  constructor(app) { this.app = app; app.beforeClose(() => console.log('early hook')); }
  ${hook}() { const { app } = this; ${body} }
};`;
const asPromise = `return new Promise((done) => { ${OPEN_LATE}; });`;

const BOOTS: Record<string, string> = {
  didLoad: boot('didLoad', asPromise),
  willReady: boot('willReady', asPromise),
  beforeStart: boot('configDidLoad', `app.beforeStart(() => { ${asPromise} });`),
  'beforeStart in didLoad': boot('didLoad', `app.beforeStart(() => { ${asPromise} });`),
  readyCallback: boot('configDidLoad', `const done = app.readyCallback('slow'); ${OPEN_LATE};`),
  didReady: boot('didReady', asPromise),
  'willReady that fails after it': boot(
    'willReady',
    `return new Promise((done, fail) => { const app = this.app; ${OPEN_LATE.replace('done()', "fail(new Error('too late'))")}; });`,
  ),
};

for (const [hook, file] of Object.entries(BOOTS)) {
  test(`close() during a boot runs a close hook that is registered later: ${hook}`, async (t) => {
    const baseDir = writeApp(t, { ...CONFIG, 'app.js': file });
    const { code, output } = await runScript(
      t,
      baseDir,
      `import { Application } from 'koa-clutch';
       const app = new Application({ mode: 'single' });
       app.ready().catch((error) => console.log('ready:', error.message));
       while (!globalThis.goOn) await new Promise((resolve) => setTimeout(resolve, 5));
       await Promise.all([app.close(), app.close()]);
       console.log('closed');
       globalThis.goOn();`,
    );
    assert.equal(code, 0, output);
    const lines = output.split('\n').filter((line) => ['early hook', 'late hook', 'closed'].includes(line));
    assert.deepEqual(lines, ['early hook', 'closed', 'late hook'], output);
    if (hook !== 'didReady') assert.match(output, /ready: ERR_CLUTCH_LIFECYCLE: the app was closed while it booted/);
    assert.equal(existsSync(path.join(baseDir, 'run/application_config.json')), hook === 'didReady');
    if (hook.includes('fails')) assert.match(output, /a hook failed after the app was closed: Error: too late/);
  });
}

test('close() during a boot: later phases do not run, and nobody needs to wait for ready', async (t) => {
  const baseDir = writeApp(t, {
    ...CONFIG,
    'app.js': `module.exports = class {
      didLoad() { console.log('didLoad'); return new Promise((r) => setTimeout(r, 100)); }
      willReady() { console.log('willReady'); }
      didReady() { console.log('didReady'); }
    };`,
  });
  const { code, output } = await runScript(
    t,
    baseDir,
    `import { Application } from 'koa-clutch';
     const app = new Application({ mode: 'single' });
     app.ready().then(() => console.log('ready'));
     setTimeout(() => app.close(), 30);`,
  );
  assert.equal(code, 0, output);
  assert.match(output, /^didLoad$/m);
  assert.doesNotMatch(output, /willReady|didReady|^ready|rror/m);
});

test('close() right after the constructor: no hook starts', async (t) => {
  const app = loadApp(t, {
    'app.js':
      'module.exports = class { constructor(app) { this.app = app; } async didLoad() { this.app.ran = true; } };',
  });
  await app.close();
  await new Promise(setImmediate);
  assert.equal((app as unknown as { ran?: boolean }).ran, undefined);
});

test('close() right after the constructor: an app.js that is an async function may still fail, without harm', async (t) => {
  const baseDir = writeApp(t, {
    ...CONFIG,
    'app.js': "module.exports = async () => { throw new Error('too late'); };",
  });
  const { code, output } = await runScript(
    t,
    baseDir,
    "import { Application } from 'koa-clutch'; await new Application({ mode: 'single' }).close();",
  );
  assert.equal(code, 0, output);
  assert.match(output, /too late/);
});

test('beforeStart and readyCallback are refused in the hook that was interrupted', async (t) => {
  const app = loadApp(t);
  const outcome = new Promise<unknown[]>((resolve) => {
    app.beforeStart(async () => {
      await app.close();
      const errors: unknown[] = [];
      for (const register of [() => app.beforeStart(() => undefined), () => app.readyCallback('x')]) {
        try {
          register();
        } catch (error) {
          errors.push((error as { code?: string }).code);
        }
      }
      resolve(errors);
    });
  });
  assert.deepEqual(await outcome, ['ERR_CLUTCH_LIFECYCLE', 'ERR_CLUTCH_LIFECYCLE']);
});

test('start() rejects when a hook closes the app, and both sides are closed', async (t) => {
  const baseDir = writeApp(t, {
    ...CONFIG,
    'agent.js': 'module.exports = (agent) => { agent.beforeClose(() => console.log("agent hook")); };',
    'app.js': boot('willReady', `setImmediate(() => app.close().then(() => globalThis.goOn())); ${asPromise}`),
  });
  const { code, output } = await runScript(
    t,
    baseDir,
    `import { start } from 'koa-clutch';
     await start().catch((error) => console.log(error.code));`,
  );
  assert.equal(code, 0, output);
  for (const line of ['early hook', 'late hook', 'agent hook', 'ERR_CLUTCH_LIFECYCLE'])
    assert.match(output, new RegExp(line));
});

for (const file of ['app.js', 'agent.js']) {
  test(`a cluster that is stopped while ${file} boots runs its close hooks and leaves nobody`, async (t) => {
    const baseDir = writeApp(t, {
      ...CONFIG,
      [file]: `const fs = require('fs');
        module.exports = class {
          constructor(app) { this.app = app; }
          didLoad() {
            this.app.beforeClose(() => fs.writeFileSync(__dirname + '/closed', String(process.pid)));
            fs.writeFileSync(__dirname + '/booting', String(process.pid));
            return new Promise(() => {});
          }
        };`,
    });
    const { child, output, exited } = launch(t, { baseDir, workers: 1 });
    const booting = path.join(baseDir, 'booting');
    await until('the hook runs', () => existsSync(booting) && readFileSync(booting, 'utf8') !== '');
    child.kill('SIGTERM');
    assert.equal(await exited, 0, output());
    const pid = readFileSync(booting, 'utf8');
    assert.equal(readFileSync(path.join(baseDir, 'closed'), 'utf8'), pid);
    assert.equal(isAlive(Number(pid)), false);
    assert.doesNotMatch(output(), /ERR_CLUTCH/);
  });
}
