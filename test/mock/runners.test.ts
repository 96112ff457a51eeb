// The test kit under each test runner, on a small app. `node scripts/egg_packages.mjs` installs the runners.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { ROOT } from '../support/apps.js';
import { type Files, writeApp } from '../support/loaded_app.js';

const INSTALLED = path.join(ROOT, 'test/fixtures/runners/node_modules');
const skip = existsSync(path.join(INSTALLED, 'mocha')) ? false : 'node scripts/egg_packages.mjs has not been run';

const APP: Files = {
  'config/config.default.js': `exports.keys = 'k';`,
  'app/router.js': `module.exports = (app) => app.get('/', async (ctx) => { ctx.body = await ctx.service.user.name(); });`,
  'app/service/user.js': `module.exports = (app) => class extends app.Service { async name() { return 'ada'; } };`,
};

/** Two files: what one mocks must not be seen by the other. */
const TESTS = `
  it('mocks', async () => {
    app.mockService('user', 'name', 'bob');
    await app.httpRequest().get('/').expect(200, 'bob');
  });
  it('has undone it', async () => {
    const { body } = await app.inject('/');
    assert.equal(body, 'ada');
  });`;

interface Run {
  status: number | null;
  output: string;
}

function run(t: TestContext, files: Files, command: string[], app: Files = APP): Run {
  const baseDir = writeApp(t, { ...app, ...files });
  for (const name of ['jest', 'mocha', 'vitest']) {
    symlinkSync(path.join(INSTALLED, name), path.join(baseDir, 'node_modules', name), 'dir');
  }
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: baseDir, env, encoding: 'utf8' });
  return { status, output: `${stdout}\n${stderr}` };
}

const inBoth = (name: (letter: string) => string, text: string): Files => ({ [name('a')]: text, [name('b')]: text });
const bin = (file: string): string => path.join(INSTALLED, file);

const COMMONJS = `const { app, assert } = require('koa-clutch/mock/bootstrap');`;
const RUNNERS: Record<string, { files: Files; command: string[]; passed: RegExp }> = {
  'node:test': {
    files: inBoth((letter) => `test/${letter}.test.js`, `const { it } = require('node:test');\n${COMMONJS}\n${TESTS}`),
    command: ['--test', 'test/a.test.js', 'test/b.test.js'],
    passed: /pass 4\b/,
  },
  'node:test, ES modules': {
    files: inBoth(
      (letter) => `test/${letter}.test.mjs`,
      `import { it } from 'node:test';\nimport { app, assert } from 'koa-clutch/mock/bootstrap';\n${TESTS}`,
    ),
    command: ['--test', 'test/a.test.mjs', 'test/b.test.mjs'],
    passed: /pass 4\b/,
  },
  Mocha: {
    files: inBoth((letter) => `test/${letter}.test.js`, `${COMMONJS}\n${TESTS}`),
    command: [bin('mocha/bin/mocha.js')],
    passed: /4 passing/,
  },
  Jest: {
    files: {
      ...inBoth(
        (letter) => `test/${letter}.test.mjs`,
        `import { app, assert } from 'koa-clutch/mock/bootstrap';\n${TESTS}`,
      ),
      'jest.config.json':
        '{ "testMatch": ["**/test/*.test.mjs"], "transform": {}, "testEnvironment": "koa-clutch/mock/jest-environment" }',
    },
    command: ['--experimental-vm-modules', bin('jest/bin/jest.js')],
    passed: /Tests: +4 passed/,
  },
  'Jest, CommonJS': {
    files: {
      ...inBoth((letter) => `test/${letter}.test.js`, `${COMMONJS}\n${TESTS}`),
      'jest.config.json': '{ "testEnvironment": "koa-clutch/mock/jest-environment" }',
    },
    command: [bin('jest/bin/jest.js')],
    passed: /Tests: +4 passed/,
  },
  Vitest: {
    files: {
      ...inBoth(
        (letter) => `test/${letter}.test.mjs`,
        `import { app, assert } from 'koa-clutch/mock/bootstrap';\n${TESTS}`,
      ),
      'vitest.config.mjs': 'export default { test: { globals: true, include: ["test/*.test.mjs"] } };',
    },
    command: [bin('vitest/vitest.mjs'), 'run'],
    passed: /4 passed/,
  },
};

for (const [name, { files, command, passed }] of Object.entries(RUNNERS)) {
  test(`${name}: the app boots before the tests, and mocks are undone after each`, { skip }, (t) => {
    const { status, output } = run(t, files, command);
    assert.equal(status, 0, output);
    assert.match(output, passed);
  });

  test(`${name}: a failed boot is reported once and fails`, { skip }, (t) => {
    const broken = { ...APP, 'app.js': `module.exports = () => { throw new Error('no database'); };` };
    const { status, output } = run(t, files, command, broken);
    assert.notEqual(status, 0, output);
    // Once for each process: Mocha has one for both files.
    const count = output.match(/^(?:# )?Error: no database/gm)?.length;
    assert.equal(count, name === 'Mocha' ? 1 : 2, output);
  });
}
