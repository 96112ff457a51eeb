import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { assertApproved, withPlaceholders } from '../support/approved.js';
import { CLI, ROOT, temporaryDirectory } from '../support/apps.js';
import { type Files, writeApp } from '../support/loaded_app.js';

interface Run {
  args?: string[];
  nodeArgs?: string[];
  env?: NodeJS.ProcessEnv;
  /** The app goes on: it is stopped once this is printed. */
  until?: RegExp;
  /** Lines that count, where those of several processes come in any order. */
  only?: RegExp;
}

const START = ['start', '--port', '0', '--workers', '1'];

/** @returns what `clutch` prints first, and its exit code; `closed` and the like after a failure are part of it */
async function firstScreen(t: TestContext, files: Files, { args = START, nodeArgs = [], env = {}, until, only }: Run) {
  const dir = writeApp(t, { 'package.json': '{ "name": "broken" }', ...files });
  const home = temporaryDirectory(t);
  const child = spawn(process.execPath, [...nodeArgs, CLI, ...args], {
    cwd: dir,
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_ENV: undefined, EGG_HOME: home, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let screen: string | undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += String(chunk);
      const match = screen === undefined ? until?.exec(output) : undefined;
      if (!match) return;
      screen = output.slice(0, output.indexOf('\n', match.index + match[0].length - 1) + 1);
      child.kill('SIGTERM');
    });
  }
  const code = await new Promise((resolve) => child.once('close', resolve));
  const lines = (screen ?? output).split('\n').filter((line) => only === undefined || only.test(line));
  const dirs = { app: dir, home, name: path.basename(dir), node: process.execPath };
  return { code, text: withPlaceholders(lines.join('\n'), dirs) };
}

const plugin = (name: string, dependency: string): Files => ({
  [`lib/${name}/package.json`]: JSON.stringify({ name, eggPlugin: { name, dependencies: [dependency] } }),
});

const BROKEN: Record<string, [files: Files, run?: Run]> = {
  'wrong config key': [
    { 'config/config.default.js': "exports.keys = 'k';\nexports.bodyparser = { jsonLimit: '2mb' };\n" },
    { until: /started on/, only: /WARN/ },
  ],
  'missing plugin': [{ 'config/plugin.js': "exports.redis = { enable: true, package: 'egg-redis' };\n" }],
  'hook that hangs': [
    {
      'app.js': 'module.exports = class {\n  async didLoad() {\n    await new Promise(() => {});\n  }\n};\n',
      'config/config.default.js': 'exports.workerStartTimeout = 1500;\n',
    },
  ],
  'unwritable logs': [
    {
      'config/config.default.js': "exports.logger = { dir: '/proc/logs' };\n",
      'app.js': "module.exports = (app) => app.logger.info('a line');\n",
    },
    { until: /cannot be written.*\n/, only: /WARN/ },
  ],
  'wrong Node': [
    {},
    { nodeArgs: ['--import', 'data:text/javascript,Object.defineProperty(process.versions,"node",{value:"18.20.0"})'] },
  ],
  'crash loop': [
    {
      'app.js':
        "module.exports = class {\n  async serverDidReady() {\n    setTimeout(() => {\n      throw new Error('lost the database');\n    }, 100);\n  }\n};\n",
      'config/config.default.js': "exports.keys = 'k';\n",
    },
    { until: /uncaughtException[\s\S]*?\^\n/ },
  ],
  'missing controller': [{ 'app/router.js': "module.exports = (app) => {\n  app.get('/', 'home.index');\n};\n" }],
  'circular plugins': [
    {
      ...plugin('a', 'b'),
      ...plugin('b', 'a'),
      'config/plugin.js':
        "const path = require('path');\nexports.a = { enable: true, path: path.join(__dirname, '../lib/a') };\nexports.b = { enable: true, path: path.join(__dirname, '../lib/b') };\n",
    },
  ],
  'syntax error': [{ 'app.js': 'module.exports = (app) => {\n  const a = ;\n};\n' }],
};

for (const [name, [files, run = {}]] of Object.entries(BROKEN)) {
  test(`a broken app: ${name} is explained by the first screen`, async (t) => {
    const { code, text } = await firstScreen(t, files, run);
    if (!run.until) assert.equal(code, 1, text);
    assertApproved(name.replaceAll(' ', '_'), text);
  });
}

test('a broken app: a port that is taken is two lines and names who holds it', async (t) => {
  const server = net.createServer().listen(0);
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { code, text } = await firstScreen(t, {}, { args: ['start', '--port', String(port), '--workers', '1'] });
  assert.equal(code, 1);
  assertApproved('port_taken', text);
});

test('a broken app: a TypeScript error is shown by clutch dev while the app runs', async (t) => {
  const files = {
    'tsconfig.json':
      '{ "compilerOptions": { "strict": true, "noEmit": true, "module": "nodenext", "types": [] }, "include": ["app"] }',
    'app/wrong.ts': "export const wrong: number = 'text';\n",
    'node_modules/typescript/package.json': '{ "name": "typescript", "version": "1.0.0" }',
    'node_modules/typescript/bin/tsc': `require('child_process').spawnSync(process.execPath, [${JSON.stringify(path.join(ROOT, 'node_modules/typescript/bin/tsc'))}, ...process.argv.slice(2)], { stdio: 'inherit' });`,
    'node_modules/tsx/package.json': '{ "name": "tsx", "exports": "./index.js" }',
    'node_modules/tsx/index.js': `import(${JSON.stringify(path.join(ROOT, 'node_modules/tsx/dist/loader.mjs'))});`,
  };
  const { text } = await firstScreen(t, files, { args: ['dev', '--port', '0'], until: /type error[\s\S]*?\^\n/ });
  assertApproved('type_error', text.replace(/plugins on: .*/, 'plugins on: <plugins>'));
});

test('a hook that hangs in one process, with nothing else to keep it alive, ends it with exit code 1 and its name', async (t) => {
  const dir = writeApp(t, {
    'app.js': 'module.exports = class {\n  async didLoad() {\n    await new Promise(() => {});\n  }\n};\n',
  });
  const { start } = {
    start: `import(${JSON.stringify(path.join(ROOT, 'dist/index.js'))}).then(({ start }) => start())`,
  };
  const child = spawn(process.execPath, ['-e', start], {
    cwd: dir,
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, EGG_READY_TIMEOUT_ENV: '100' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += String(chunk)));
  const code = await new Promise((resolve) => child.once('close', resolve));
  assert.equal(code, 1, errors);
  assert.match(errors, /still running: didLoad at .*app\.js:2:9/);
});
