import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Files, loadApp } from '../../support/loaded_app.js';

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
