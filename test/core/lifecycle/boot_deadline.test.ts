import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launch } from '../../support/apps.js';
import { writeApp } from '../../support/loaded_app.js';
import { runScript } from '../../support/script.js';

const FOREVER = 'new Promise(() => {})';
/** Keeps the process alive, as an open connection would. */
const ALIVE = 'setInterval(() => {}, 1000);';

const HOOKS: [what: string, file: string, named: RegExp][] = [
  ['didLoad', `module.exports = class { didLoad() { return ${FOREVER}; } };`, /didLoad at .*\/FILE:1:\d+/],
  ['willReady', `module.exports = class { willReady() { return ${FOREVER}; } };`, /willReady at .*\/FILE:1:\d+/],
  [
    'a hook that gives a thenable',
    'module.exports = class { didLoad() { return { then() {} }; } };',
    /didLoad at .*\/FILE:1:\d+/,
  ],
  ['beforeStart', `module.exports = (app) => { app.beforeStart(() => ${FOREVER}); };`, /beforeStart at .*\/FILE:1:\d+/],
  [
    'a named beforeStart',
    `module.exports = (app) => { app.beforeStart(() => ${FOREVER}, 'db'); };`,
    /beforeStart "db" at .*\/FILE:1:\d+/,
  ],
  ['readyCallback', "module.exports = (app) => { app.readyCallback('db'); };", /readyCallback "db" at .*\/FILE:1:\d+/],
  ['an async function', `module.exports = async () => ${FOREVER};`, /the async function of .*\/FILE/],
];
const START = `import { start } from 'koa-clutch';
  start().then(() => console.log('ready'));`;

for (const file of ['app.js', 'agent.js']) {
  for (const [what, text, named] of HOOKS) {
    const expected = new RegExp(`still running: ${named.source.replace('FILE', file.replace('.', '\\.'))}`);
    test(`start() fails when ${file} never ends: ${what}`, async (t) => {
      const baseDir = writeApp(t, {
        'config/config.default.js': `${ALIVE} exports.workerStartTimeout = 100; exports.keys = "k";`,
        [file]: text,
      });
      const { code, output } = await runScript(t, baseDir, START);
      assert.equal(code, 1, output);
      assert.match(output, /ERR_CLUTCH_BOOT: not ready after 100 ms \(start timeout\)/);
      assert.match(output, expected);
      assert.doesNotMatch(output, /^ready$/m);
    });

    test(`start() fails when ${file} never ends and the event loop is empty: ${what}`, async (t) => {
      const baseDir = writeApp(t, { 'config/config.default.js': 'exports.keys = "k";', [file]: text });
      const { code, output } = await runScript(t, baseDir, START, { EGG_READY_TIMEOUT_ENV: '100' });
      assert.equal(code, 1, output);
      assert.match(output, /ERR_CLUTCH_BOOT: not ready, and nothing is left/);
      assert.match(output, expected);
    });
  }
}

test('without start() as well: an empty event loop fails the boot with exit code 1', async (t) => {
  const baseDir = writeApp(t, { 'app.js': HOOKS[0]?.[1] as string });
  const { code, output } = await runScript(
    t,
    baseDir,
    "import { Application } from 'koa-clutch'; new Application({ mode: 'single' });",
    { EGG_READY_TIMEOUT_ENV: '100' },
  );
  assert.equal(code, 1, output);
  assert.match(output, /ERR_CLUTCH_BOOT[\s\S]*still running: didLoad at .*app\.js:1:\d+/);
});

test('a close hook that never ends does not hide why the boot failed', async (t) => {
  const baseDir = writeApp(t, {
    'app.js': `${ALIVE} module.exports = class {
      constructor(app) { app.beforeClose(() => ${FOREVER}); }
      async didLoad() { throw new Error('no database'); }
    };`,
  });
  const { code, output } = await runScript(t, baseDir, START);
  assert.equal(code, 1, output);
  assert.match(output, /no database/);
});

for (const file of ['app.js', 'agent.js']) {
  test(`a cluster whose ${file} never ends its hook names it and exits with 1`, async (t) => {
    const baseDir = writeApp(t, {
      'config/config.default.js': 'exports.workerStartTimeout = 300; exports.keys = "k";',
      [file]: HOOKS[0]?.[1] as string,
    });
    const { output, exited } = launch(t, { baseDir, workers: 1 });
    assert.equal(await exited, 1, output());
    assert.match(output(), new RegExp(`not ready after 300 ms[\\s\\S]*still running: didLoad at .*/${file}:1:\\d+`));
  });
}
