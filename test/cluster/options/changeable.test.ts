import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { askMaster, type ClusterStatus, type OptionChange } from 'koa-clutch/cluster';
import { CLI, type RunningCluster, startTestCluster, until } from '../../support/apps.js';
import { request } from '../../support/http.js';
import { writeApp } from '../../support/loaded_app.js';

const run = promisify(execFile);

async function start(
  t: TestContext,
  options: object,
): Promise<RunningCluster & { set(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> }> {
  const dir = writeApp(t, {
    'app/router.js': `module.exports = (app) => {
  app.get('/', (ctx) => { ctx.body = String(process.pid); });
  app.get('/never', () => new Promise(() => {}));
  app.get('/blocked', (ctx) => {
    const end = Date.now() + 7000;
    while (Date.now() < end);
    ctx.body = String(process.pid);
  });
};
`,
  });
  const cluster = await startTestCluster(t, { baseDir: dir, workers: 1, ...options }, { EGG_AGENT_DEBUG_PORT: '0' });
  await until('the control socket replies', () => askMaster(dir, { command: 'status' }).catch(() => undefined));
  const set = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
    run(process.execPath, [CLI, 'set', ...args, dir], { env: { ...process.env, NODE_TEST_CONTEXT: undefined } }).then(
      (result) => ({ code: 0, ...result }),
      (error) => error,
    );
  return { ...cluster, set };
}

function ofWorker({ processes }: ClusterStatus): Record<string, number> | undefined {
  return processes.find(({ kind, state }) => kind === 'app worker' && state === 'ready')?.options;
}

test('several options are changed at once, or none; the difference is shown first', async (t) => {
  const { set, status, pids } = await start(t, { maxMemory: 900 });
  const planned = await set('workers=2', 'maxMemory=1000', 'requestTimeout=400', '--dry-run');
  assert.equal(
    planned.stdout,
    [
      'workers         1 → 2       at once',
      'maxMemory       900 → 1000  at once',
      'requestTimeout  0 → 400     after the next reload\n',
    ].join('\n'),
  );
  for (const [wrong, message] of [
    [
      'port=80',
      /option port cannot be changed while the app runs\n.*workers, maxMemory, .*requestTimeout can be changed/,
    ],
    ['maxMemry=1', /there is no option maxMemry\n.*Perhaps maxMemory is meant/],
    ['a=1', /there is no option a\n +While the app runs/],
    ['maxAge=soon', /option maxAge is .*\n +Give a whole number/],
    ['maxMemoryHard=950', /option maxMemoryHard.*\n.*It kills; give more than maxMemory \(1000\)/],
    ['hangTimeout=500', /give 0 or at least 4000/],
    ['maxMemory=1', /It is given twice/],
    ['maxAge=', /Give a value after/],
  ] as const) {
    const { code, stdout, stderr } = await set('workers=3', 'maxMemory=1000', wrong);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /^ERR_CLUTCH_OPTION: (?!.*ERR_)/);
    assert.equal(stdout, '');
    assert.match(stderr, message);
  }
  assert.equal((await set('maxMemory')).code, 2);
  assert.equal((await set('maxMemory=1', 'maxAge', 'workers=1')).code, 2);
  assert.equal((await status()).options['maxMemory'], 900);
  assert.equal((await pids()).workers.length, 1);

  const { code, stdout, stderr } = await set('workers=2', 'maxMemory=1000', '--json');
  assert.equal(code, 0, stderr);
  assert.deepEqual(
    (JSON.parse(stdout) as OptionChange[]).map(({ name, from, to }) => [name, from, to]),
    [
      ['workers', 1, 2],
      ['maxMemory', 900, 1000],
    ],
  );
  assert.equal((await pids()).workers.length, 2);
  const { options } = await status();
  assert.deepEqual([options['workers'], options['maxMemory']], [2, 1000]);
});

test('an option of new processes is shown where it differs, and holds after the next reload', async (t) => {
  const { set, status, reload, url, output } = await start(t, {});
  assert.equal(ofWorker(await status()), undefined);
  await set('requestTimeout=300');
  const before = await status();
  assert.equal(before.options['requestTimeout'], 300);
  assert.deepEqual(ofWorker(before), { requestTimeout: 0 });
  await reload();
  assert.equal(ofWorker(await status()), undefined);
  request(`${url}/never`).catch(() => undefined);
  await until('the request is overdue', () =>
    /GET \/never .*got no response for \d+ ms \(requestTimeout\)/.test(output()),
  );
});

test('hangTimeout that is set while the app is debugged kills nothing that stands still', async (t) => {
  const { set, url, pids, output } = await start(t, { execArgv: ['--inspect=0'], hangTimeout: 0 });
  const { workers } = await pids();
  assert.equal((await set('hangTimeout=4000')).stdout, 'hangTimeout  0 → 4000  never while it is debugged\n');
  assert.equal((await request(`${url}/blocked`)).body, String(workers[0]));
  assert.deepEqual((await pids()).workers, workers);
  assert.doesNotMatch(output(), /no heartbeat/);
});

test('workers=min-max: the number is brought between the bounds, and follows the need until a number is given', async (t) => {
  const { set, pids, output } = await start(t, { workers: 3 });
  assert.equal((await set('workers=1-2')).stdout, 'workers  3 → 1-2  at once\n');
  assert.equal((await pids()).workers.length, 2);
  assert.equal((await set('workers=3-4', '--dry-run')).stdout, 'workers  1-2 → 3-4  at once\n');
  assert.equal((await pids()).workers.length, 2);
  assert.equal((await set('workers=3-4')).code, 0);
  assert.equal((await pids()).workers.length, 3);
  assert.doesNotMatch(output(), /no longer follows the need/);
  assert.equal((await set('workers=1')).stdout, 'workers  3-4 → 1  at once\n');
  assert.equal((await pids()).workers.length, 1);
  assert.match(output(), /no longer follows the need/);
  for (const wrong of ['0', '4-1', '0-3', 'many', '1-5000']) {
    const { code, stderr } = await set(`workers=${wrong}`);
    assert.equal(code, 2);
    assert.match(stderr, /^ERR_CLUTCH_OPTION: option workers/);
  }
});
