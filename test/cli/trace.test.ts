import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { askMaster } from 'koa-clutch/cluster';
import { CLI, type RunningCluster, startTestCluster, until } from '../support/apps.js';
import { request } from '../support/http.js';
import { writeApp } from '../support/loaded_app.js';

const run = promisify(execFile);

interface Traced {
  url: string;
  route: string;
  took: number;
  spans: { kind: string; name: string; took?: number }[];
  cpu: { busy: number; stacks: { milliseconds: number; frames: string[] }[] };
}

async function start(t: TestContext, options: object = {}): Promise<RunningCluster & { dir: string; pid: string }> {
  const dir = writeApp(t, {
    'app/service/report.js': `module.exports = (app) => class extends app.Service {
  async wait() { await new Promise((done) => setTimeout(done, 250)); }
};
`,
    'app/router.js': `const spin = (milliseconds) => { const end = Date.now() + milliseconds; while (Date.now() < end); };
module.exports = (app) => {
  app.get('/', (ctx) => { ctx.body = 'quick'; });
  app.get('/spins/:id', (ctx) => { spin(150); ctx.body = 'spun'; });
  app.get('/waits', async (ctx) => { await ctx.service.report.wait(); ctx.body = 'waited'; });
  app.get('/blocks', () => spin(60000));
};
`,
  });
  const cluster = await startTestCluster(t, { baseDir: dir, workers: 1, ...options });
  await until('the control socket replies', () => askMaster(dir, { command: 'status' }).catch(() => undefined));
  return { ...cluster, dir, pid: String((await cluster.pids()).workers[0]) };
}

async function trace(dir: string, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    return {
      code: 0,
      ...(await run(process.execPath, [CLI, 'trace', ...args, dir], {
        env: { ...process.env, NODE_TEST_CONTEXT: undefined },
      })),
    };
  } catch (error) {
    return error as never;
  }
}

/** Sends requests until the promise settles. */
async function during<T>(promise: Promise<T>, url: string, paths: string[]): Promise<T> {
  let isOver = false;
  void promise.finally(() => {
    isOver = true;
  });
  while (!isOver) for (const each of paths) await request(`${url}${each}`).catch(() => undefined);
  return promise;
}

test('clutch trace says where slow requests spend their time, with masked urls', async (t) => {
  const { dir, url, pid } = await start(t);
  const paths = ['/', '/spins/1?token=abcdef123456', '/waits'];
  const { stdout, code, stderr } = await during(
    trace(dir, pid, '--slow', '100ms', '--for', '3s', '--json'),
    url,
    paths,
  );
  assert.equal(code, 0, stderr);
  const requests = JSON.parse(stdout) as Traced[];
  assert.ok(requests.length > 0 && requests.every(({ took }) => took >= 100));
  const spun = requests.find(({ route, cpu }) => route === '/spins/:id' && cpu.busy > 50) as Traced;
  const spins = requests.filter(({ route }) => route === '/spins/:id');
  assert.deepEqual(
    spins.filter(({ cpu }) => cpu.busy < 10).map(({ cpu }) => cpu.busy),
    [],
    'none that was not recorded',
  );
  assert.equal(spun.url, '/spins/1?token=***');
  // V8 may have inlined it into the route's function by then, and counts its time there.
  assert.match(
    spun.cpu.stacks[0]?.frames[0] ?? '',
    /^at (?:spin \(app\/router\.js:1|\(anonymous\) \(app\/router\.js:4):\d+\)$/,
  );
  assert.ok((spun.cpu.stacks[0]?.milliseconds as number) > 30);
  const waited = requests.find(
    ({ route, spans }) => route === '/waits' && spans.some(({ kind }) => kind === 'service'),
  ) as Traced;
  assert.ok((waited.spans.find(({ kind }) => kind === 'service')?.took as number) > 200);
  assert.ok(waited.cpu.busy < waited.took / 2);
  assert.deepEqual(readdirSync(path.join(dir, 'run/profiles')), []);

  const text = (await during(trace(dir, pid, '--slow', '100', '--for', '3'), url, paths)).stdout;
  assert.match(text, /^GET \/waits {2}200 {2}2\d\d(?:\.\d)? ms\n {2}route \/waits {2}at \d{4}-/m);
  assert.match(text, /^ {2,}service report\.wait +2\d\d/m);
  assert.match(text, /meanwhile the process ran for .*, else it waited/);
});

test('clutch trace says that nothing was slow, and what is wrong with its arguments', async (t) => {
  const { dir, url, pid } = await start(t);
  assert.equal(
    (await during(trace(dir, pid, '--for', '500ms'), url, ['/'])).stdout,
    'no request took 200ms in 500ms\n',
  );
  assert.equal((await trace(dir, 'x')).code, 2);
  assert.equal((await trace(dir, pid, '--slow', 'much')).code, 2);
  assert.match((await trace(dir, '1')).stderr, /no process of this app has pid 1/);
});

test('clutch trace of a process that is killed because it is blocked shows where it was blocked', async (t) => {
  const { dir, url, pid } = await start(t, { hangTimeout: 800 });
  const traced = trace(dir, pid, '--for', '60s');
  await until(
    'it records',
    () => existsSync(path.join(dir, 'run/profiles')) && readdirSync(path.join(dir, 'run/profiles')).length > 0,
  );
  request(`${url}/blocks`).catch(() => undefined);
  const { code, stderr } = await traced;
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`pid ${pid} was blocked here:\\n[\\s\\S]*at spin \\(.*app/router\\.js:1:`));
  assert.match(stderr, /it has ended: its event loop was blocked for more than 800 ms/);
});
