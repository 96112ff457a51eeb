import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { launch } from '../../support/apps.js';
import { writeApp } from '../../support/loaded_app.js';
import { runScript } from '../../support/script.js';

const hook = (body: string): string => `module.exports = class { async didLoad() { ${body} } };`;

const CASES: [what: string, file: string, errors: string[]][] = [
  ['the same error', hook("const e = new Error('first'); Promise.reject(e); throw e;"), ['first']],
  [
    'the same error a little later',
    hook("const e = new Error('first'); Promise.reject(e); await null; throw e;"),
    ['first'],
  ],
  [
    'the cause of the error',
    hook("const e = new Error('first'); Promise.reject(e); throw new Error('second', { cause: e });"),
    ['second', 'first'],
  ],
  ['another error', hook("Promise.reject(new Error('first')); throw new Error('second');"), ['first', 'second']],
  [
    'another error, earlier',
    hook("Promise.reject(new Error('first')); await new Promise((r) => setTimeout(r, 20)); throw new Error('second');"),
    ['first', 'second'],
  ],
];

/** The errors in the order in which they are printed, each as often as it is: `Error: first`, or `caused by first` of the Master. */
function printedErrors(output: string): string[] {
  return [...output.matchAll(/^[^|\n]*(?:: |caused by )(first|second)$/gm)].map(([, name]) => name as string);
}

for (const file of ['app.js', 'agent.js']) {
  for (const [what, text, errors] of CASES) {
    const title = `${file} throws while a promise it left rejects with ${what}: each is printed once`;
    test(`${title}, by the Master`, async (t) => {
      const baseDir = writeApp(t, { 'config/config.default.js': 'exports.keys = "k";', [file]: text });
      const { output, exited } = launch(t, { baseDir, workers: 1 });
      assert.equal(await exited, 1, output());
      assert.deepEqual(printedErrors(output()), errors, output());
    });

    test(`${title}, in one process`, async (t) => {
      const baseDir = writeApp(t, { 'config/config.default.js': 'exports.keys = "k";', [file]: text });
      const { code, output } = await runScript(t, baseDir, "import { start } from 'koa-clutch'; await start();");
      assert.equal(code, 1, output);
      assert.deepEqual(printedErrors(output), errors, output);
    });
  }
}

test('the log file has a boot error that the Master prints', async (t) => {
  const baseDir = writeApp(t, {
    'config/config.default.js': 'exports.keys = "k"; exports.logger = { dir: __dirname + "/../logs" };',
    'app.js': hook("throw new Error('first');"),
  });
  const { exited } = launch(t, { baseDir, workers: 1 });
  await exited;
  assert.match(readFileSync(path.join(baseDir, 'logs/common-error.log'), 'utf8'), /first/);
});

test('a rejection of the same tick in which app.js throws is in the log, once', async (t) => {
  const baseDir = writeApp(t, {
    'config/config.default.js': 'exports.keys = "k"; exports.logger = { dir: __dirname + "/../logs" };',
    'app.js': "module.exports = () => { Promise.reject(new Error('first')); throw new Error('second'); };",
  });
  const { code, output } = await runScript(t, baseDir, "import { start } from 'koa-clutch'; await start();");
  assert.equal(code, 1);
  assert.match(output, /second/);
  assert.equal(readFileSync(path.join(baseDir, 'logs/common-error.log'), 'utf8').match(/: first\n/g)?.length, 1);
});

test('an error that nobody waits for is printed by the app', async (t) => {
  const baseDir = writeApp(t, { 'app.js': hook("throw new Error('first');") });
  const { output } = await runScript(
    t,
    baseDir,
    "import { Application } from 'koa-clutch'; new Application({ mode: 'single' });",
  );
  assert.deepEqual(printedErrors(output), ['first'], output);
});

const SYNCHRONOUS: Record<string, string> = {
  'app.js throws': "throw new Error('first');",
  'the constructor of app.js throws': "module.exports = class { constructor() { throw new Error('first'); } };",
};

for (const [title, text] of Object.entries(SYNCHRONOUS)) {
  test(`start() without a catch, in CommonJS: ${title}, Node reports it once and ends with 1`, async (t) => {
    const baseDir = writeApp(t, { 'config/config.default.js': 'exports.keys = "k";', 'app.js': text });
    const script = `import { createRequire } from 'node:module';
      const { start } = createRequire(import.meta.url)('koa-clutch');
      start().then(() => console.log('started'));`;
    const { code, output } = await runScript(t, baseDir, script);
    assert.equal(code, 1, output);
    assert.doesNotMatch(output, /started|unhandledRejectionError/);
    assert.equal(output.match(/^(?:ClutchError|Error): .*first/gm)?.length, 1, output);
  });
}

for (const file of ['app/router.js', 'app/middleware/m.js']) {
  test(`start() without a catch: an async function in ${file} ends the process with 1`, async (t) => {
    const baseDir = writeApp(t, {
      'config/config.default.js': `exports.keys = "k"; exports.middleware = ${file.includes('router') ? '[]' : '["m"]'};`,
      [file]: 'module.exports = async () => () => {};',
    });
    const { code, output } = await runScript(t, baseDir, "import { start } from 'koa-clutch'; start().then(() => 0);");
    assert.equal(code, 1, output);
    assert.doesNotMatch(output, /unhandledRejectionError/);
  });
}

test('the inner errors of an AggregateError are printed by the Master and logged, each once', async (t) => {
  const baseDir = writeApp(t, {
    'config/config.default.js': 'exports.keys = "k"; exports.logger = { dir: __dirname + "/../logs" };',
    'app.js': hook(`const one = new Error('first inner');
      const all = new AggregateError([one, new Error('second inner', { cause: one })], 'AGG');
      one.cause = all;
      throw all;`),
  });
  const { output, exited } = launch(t, { baseDir, workers: 1 });
  assert.equal(await exited, 1);
  const log = readFileSync(path.join(baseDir, 'logs/common-error.log'), 'utf8');
  for (const text of [output(), log]) {
    for (const name of [/AggregateError: AGG/g, /(?:Error:|-) first inner/g, /(?:Error:|-) second inner/g]) {
      assert.equal(text.match(name)?.length, 1, text);
    }
  }
});

test('a load error comes alone: tasks of beforeStart that wait do not run', async (t) => {
  const baseDir = writeApp(t, {
    'config/config.default.js': 'exports.keys = "k";',
    'app.js': "module.exports = (app) => app.beforeStart(async () => { throw new Error('second'); });",
    'app/router.js': "module.exports = () => { throw new Error('first'); };",
  });
  for (const script of ['await start();', "new Application({ mode: 'single' });"]) {
    const { code, output } = await runScript(t, baseDir, `import { Application, start } from 'koa-clutch'; ${script}`);
    assert.equal(code, 1, output);
    assert.match(output, /first/);
    assert.doesNotMatch(output, /second/);
  }
  const { output, exited } = launch(t, { baseDir, workers: 1 });
  assert.equal(await exited, 1, output());
  assert.doesNotMatch(output(), /second/);
});
