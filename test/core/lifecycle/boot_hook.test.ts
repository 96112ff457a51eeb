import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { start } from 'koa-clutch';
import { until } from '../../support/apps.js';
import { type Files, loadApp, writeApp } from '../../support/loaded_app.js';
import { runScript } from '../../support/script.js';

const REFUSED: [what: string, code: string, named: RegExp, files: Files][] = [
  [
    'an async router',
    'ERR_CLUTCH_MODULE',
    /app\/router exports an async function[\s\S]*app\/router\.js\n.*didLoad/,
    { 'app/router.js': 'module.exports = async (app) => { app.get("/", () => {}); };' },
  ],
  [
    'an async middleware factory',
    'ERR_CLUTCH_MIDDLEWARE',
    /Middleware slow must be a function, but actual is a promise[\s\S]*app\/middleware\/slow\.js\n.*didLoad/,
    {
      'config/config.default.js': 'exports.middleware = ["slow"];',
      'app/middleware/slow.js': 'module.exports = async () => (ctx, next) => next();',
    },
  ],
  [
    'an async config function',
    'ERR_CLUTCH_CONFIG_ASYNC',
    /config\.default\.js is async\n.*use start\(\)/,
    { 'config/config.default.js': 'module.exports = async () => ({ a: 1 });' },
  ],
];

for (const [what, code, message, files] of REFUSED) {
  test(`${what} is refused with the file and the way out`, (t) => {
    assert.throws(() => loadApp(t, files), { code, message });
  });
}

test('ready waits for app.js that is an async function', async (t) => {
  const app = loadApp(t, {
    'app.js': `module.exports = async (app) => {
      app.steps = ['begun'];
      await new Promise((resolve) => setTimeout(resolve, 20));
      app.steps.push('ended');
    };`,
  }) as ReturnType<typeof loadApp> & { steps: string[] };
  assert.deepEqual(app.steps, ['begun']);
  await app.ready();
  assert.deepEqual(app.steps, ['begun', 'ended']);
});

test('app.js that is an async function and rejects fails the boot', async (t) => {
  const app = loadApp(t, { 'app.js': 'module.exports = async () => { throw new Error("no database"); };' });
  await assert.rejects(app.ready(), /no database/);
});

for (const hook of ['configWillLoad', 'configDidLoad']) {
  const boot = (body: string): Files => ({
    'config/config.default.js': 'exports.keys = "k"; exports.logger = { consoleLevel: "NONE" };',
    'app.js': `module.exports = class { constructor(app) { this.app = app; } async ${hook}() { ${body} } };`,
  });

  test(`async ${hook} without an await is as good as a synchronous one`, async (t) => {
    const app = loadApp(t, boot('this.app.config.late = 1;'));
    assert.equal(app.config['late'], 1);
    await app.ready();
  });

  test(`async ${hook} that awaits fails the boot, with the file and the way out`, async (t) => {
    const app = loadApp(t, boot('await null; this.app.config.late = 1;'));
    await assert.rejects(app.ready(), {
      code: 'ERR_CLUTCH_LIFECYCLE',
      message: new RegExp(`${hook} is async[\\s\\S]*/app\\.js\n.*didLoad`),
    });
  });

  test(`async ${hook} that throws fails the boot`, async (t) => {
    await assert.rejects(loadApp(t, boot('throw new Error("no such key");')).ready(), /no such key/);
    await assert.rejects(loadApp(t, boot('await null; throw new Error("late");')).ready(), /is async/);
  });
}

const FAILING_START =
  "import { start } from 'koa-clutch'; await start().catch(({ code, message }) => console.log(code ?? message));";
const later = 'yield new Promise((resolve) => setTimeout(resolve, 20));';

test('app.js, hooks, ready callbacks and work in the background that are generator functions run to their end', async (t) => {
  const app = loadApp(t, {
    'app.js': `module.exports = function* (app) {
      app.steps = ['begun'];
      app.ready(function* () { ${later} app.steps.push('ready callback'); });
      ${later}
      app.steps.push('ended');
    };`,
    'config/plugin.js': "exports.own = { enable: true, path: require('node:path').join(__dirname, '../own') };",
    'own/package.json': '{ "eggPlugin": { "name": "own" } }',
    'own/app.js': `module.exports = class {
      constructor(app) { this.app = app; }
      *configWillLoad() { this.app.config.changed = true; }
    };`,
  });
  assert.equal((app.config as { changed?: boolean }).changed, true);
  await app.ready();
  const { steps } = app as unknown as { steps: string[] };
  assert.deepEqual(steps, ['begun', 'ended']);
  await until('the callback has ended', () => steps.includes('ready callback'));
  const task = function* (): Generator<unknown> {
    yield Promise.resolve();
    steps.push('background');
  };
  app.createAnonymousContext().runInBackground(task);
  await until('the work has ended', () => steps.includes('background'));
});

test('a config hook that is a generator function and waits, and a router that is one, are refused', async (t) => {
  const waiting = loadApp(t, { 'app.js': `module.exports = class { *configDidLoad() { ${later} } };` });
  await assert.rejects(waiting.ready(), /configDidLoad is async, and nothing waits for what it awaits/);
  assert.throws(
    () => loadApp(t, { 'app/router.js': 'module.exports = function* (app) { app.get("/", () => {}); };' }),
    /app\/router exports a generator function[\s\S]*app\/router\.js\n.*didLoad/,
  );
});

test('a config function that is a generator function is awaited', async (t) => {
  const app = await start({
    baseDir: writeApp(t, {
      'config/config.default.js': `module.exports = function* () { ${later} return { keys: 'k', own: 1 }; };`,
    }),
  });
  t.after(() => app.close());
  assert.equal((app.config as { own?: number }).own, 1);
});

test('after a file that does not load, nothing that waits for ready runs, and its cause comes alone', async (t) => {
  const dir = writeApp(t, {
    'app.js': `module.exports = (app) => {
      app.ready(() => { console.log('CALLBACK'); app.nothing.foo(); });
      app.ready().then(() => console.log('THEN'));
      app.beforeStart(async () => console.log('SCOPE'));
    };`,
    'app/service/bad.js': 'const x = ;',
  });
  const { stdout, stderr, code } = await runScript(t, dir, FAILING_START);
  assert.equal(`${stdout}${stderr}`.trim().split('\n')[0], 'ERR_CLUTCH_MODULE');
  assert.doesNotMatch(`${stdout}${stderr}`, /CALLBACK|THEN|SCOPE|foo|closed while/);
  assert.equal(code, 0);
});

test('a ready callback that throws after a failed boot hides its cause from nobody', async (t) => {
  const dir = writeApp(t, {
    'app.js': `module.exports = (app) => {
      app.ready(() => app.nothing.foo());
      app.beforeStart(async () => { throw new Error('the cause'); });
    };`,
  });
  const { stdout, stderr, code } = await runScript(t, dir, FAILING_START);
  assert.equal(`${stdout}${stderr}`, 'the cause\n');
  const [name = ''] = readdirSync(path.join(dir, 'logs'));
  const log = readFileSync(path.join(dir, 'logs', name, 'common-error.log'), 'utf8');
  assert.match(log, /the cause[\s\S]*\(reading 'foo'\)/);
  assert.equal(code, 0);
});
