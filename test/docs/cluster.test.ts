import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { ROOT, temporaryDirectory, until } from '../support/apps.js';
import { writeApp } from '../support/loaded_app.js';

const page = readFileSync(path.join(ROOT, 'docs/cluster.md'), 'utf8');
const examples = [...page.matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, code]) => code as string);

test('docs/cluster.md: each weakness that concerns processes has a row and a test of its name', () => {
  const sources = ['cli', 'cluster']
    .flatMap((folder) =>
      readdirSync(path.join(ROOT, 'test', folder), { recursive: true }).map((file) =>
        path.join(ROOT, 'test', folder, String(file)),
      ),
    )
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  const numbers = [1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 26, 27, 28];
  for (const number of numbers) {
    assert.match(page, new RegExp(`^\\| W${number} +\\|`, 'm'));
    assert.match(sources, new RegExp(`test\\(\\s*['\`](?:W\\d+, )*W${number}[,:]`), `no test is named W${number}`);
  }
});

/** Runs an example of the page as a module of an app. */
async function runExample(t: Parameters<typeof temporaryDirectory>[0], holds: string, call: string): Promise<string> {
  const dir = temporaryDirectory(t);
  mkdirSync(path.join(dir, 'node_modules'));
  symlinkSync(ROOT, path.join(dir, 'node_modules/koa-clutch'), 'dir');
  writeFileSync(path.join(dir, 'package.json'), '{ "name": "example" }');
  writeFileSync(path.join(dir, 'example.js'), examples.find((code) => code.includes(holds)) as string);
  writeFileSync(path.join(dir, 'run.js'), `require('./example.js')${call}.then(() => process.exit());`);
  const child = spawn(process.execPath, [path.join(dir, 'run.js')], {
    cwd: dir,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, EGG_HOME: dir },
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  const [code] = await once(child, 'exit');
  assert.equal(code, 0, output);
  return output;
}

/** Runs a script of the page as the Master of a small app, until it is ready. */
async function startedBy(t: TestContext, code: string): Promise<{ output: () => string; child: ChildProcess }> {
  const dir = writeApp(t, {
    'config/config.default.js': 'exports.cluster = { listen: { port: 0 } };',
    'master.js': code,
  });
  const child = spawn(process.execPath, ['master.js'], {
    cwd: dir,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, EGG_HOME: dir },
  });
  t.after(() => child.kill());
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  await until(`it is ready\n${output}`, () => /started on/.test(output) || child.exitCode !== null, 20_000);
  return { output: () => output, child };
}

test('docs/cluster.md: the startCluster example starts, reloads, scales and closes', async (t) => {
  const output = await runExample(t, 'cluster.scale', '({ port: 0 })');
  for (const text of [/http:\/\/127\.0\.0\.1:\d+ \{/, /\] reloaded/, /scaling from 2 to 3/, /closed/])
    assert.match(output, text);
});

test('docs/cluster.md: the example of limits has options that the cluster takes', async (t) => {
  const code = examples.find((each) => each.includes('maxMemoryHard')) as string;
  const { output, child } = await startedBy(t, code);
  assert.match(output(), /started on/);
  assert.doesNotMatch(output(), /did you mean|ERR_CLUTCH/);
  child.kill();
});

test('docs/cluster.md: the example of sizing starts with min workers', async (t) => {
  const code = examples.find((each) => each.includes('max: 8')) as string;
  const { output, child } = await startedBy(
    t,
    `${code.replace(/^startCluster\(/m, 'const started = startCluster(')}
    started.then((cluster) => console.log('%d ready, %d wanted', cluster.pids.workers.length, cluster.status().workers));`,
  );
  await until('it has said how many there are', () => /2 ready, 2 wanted/.test(output()));
  assert.doesNotMatch(output(), /did you mean|ERR_CLUTCH/);
  child.kill();
});

test('docs/cluster.md: `workers: 0` serves in one process', async (t) => {
  const code = examples.find((each) => each.includes('workers: 0')) as string;
  const { output, child } = await startedBy(t, code);
  assert.match(output(), /started on .* in one process/);
  child.kill();
  const [exitCode] = await once(child, 'exit');
  assert.equal(exitCode, 0);
});

test('docs/cluster.md: the single-process example serves', async (t) => {
  await runExample(
    t,
    'start({ baseDir })',
    `(__dirname).then(async ({ app, server, agent }) => {
    if (!agent.messenger || !server.listening) throw new Error('not served');
    server.close();
    await app.close();
  })`,
  );
});
