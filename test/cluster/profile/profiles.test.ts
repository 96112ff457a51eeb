import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { askMaster, type TakenProfile } from 'koa-clutch/cluster';
import { CLI, isAlive, type RunningCluster, startTestCluster, until } from '../../support/apps.js';
import { request, requestJson } from '../../support/http.js';
import { writeApp } from '../../support/loaded_app.js';

const run = promisify(execFile);

/** Milliseconds: a heap snapshot of the app takes longer. */
const HANG_TIMEOUT = 400;

const ROUTER = `const kept = [];
// In steps: only the snapshot stands still for long.
const fill = async () => {
  for (let step = 0; step < 100; step += 1) {
    for (let index = 0; index < 600; index += 1) kept.push({ index, text: 'text ' + step + index, more: [index] });
    await new Promise(setImmediate);
  }
};
module.exports = (app) => {
  app.get('/', (ctx) => { ctx.body = { pid: process.pid }; });
  app.get('/fill', async (ctx) => { await fill(); ctx.body = 'filled'; });
  app.get('/busy', (ctx) => {
    const end = Date.now() + 50;
    const spinOnTheCpu = () => { while (Date.now() < end) Math.sqrt(end); };
    spinOnTheCpu();
    ctx.body = 'done';
  });
};
`;

async function start(t: TestContext, options: object = {}): Promise<RunningCluster & { dir: string }> {
  const dir = writeApp(t, { 'app/router.js': ROUTER });
  const cluster = await startTestCluster(t, { baseDir: dir, workers: 2, hangTimeout: HANG_TIMEOUT, ...options });
  await until('the control socket replies', () => askMaster(dir, { command: 'status' }).catch(() => undefined));
  return { ...cluster, dir };
}

async function clutch(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    return {
      code: 0,
      ...(await run(process.execPath, [CLI, ...args], { env: { ...process.env, NODE_TEST_CONTEXT: undefined } })),
    };
  } catch (error) {
    return error as never;
  }
}

function take(dir: string, pid: number, kind: TakenProfile['kind'], seconds?: number): Promise<TakenProfile> {
  return askMaster(dir, { command: 'profile', request: { pid, kind, seconds } }) as Promise<TakenProfile>;
}

/** A snapshot may be longer than a string can be. */
function beginOf(file: string): string {
  const fd = openSync(file, 'r');
  const buffer = Buffer.alloc(100);
  readSync(fd, buffer);
  closeSync(fd);
  return buffer.toString();
}

function modeOf(file: string): number {
  return statSync(file).mode & 0o777;
}

test('clutch profile shows where a worker spends its time, in a file for its user only', async (t) => {
  const { dir, url, pids } = await start(t, { workers: 1, hangTimeout: 10_000 });
  const { workers } = await pids();
  let isDone = false;
  const load = (async () => {
    while (!isDone) await request(`${url}/busy`);
  })();
  const output = path.join(dir, 'here.cpuprofile');
  const { code, stdout, stderr } = await clutch('profile', String(workers[0]), dir, '--cpu', '1s', '--output', output);
  isDone = true;
  await load;
  assert.equal(code, 0, stderr);
  assert.match(
    stdout,
    new RegExp(`^app worker ${workers[0]}: \\d+ KiB in [12]\\.\\d s\\n.*here\\.cpuprofile\\n.*DevTools`),
  );
  assert.equal(modeOf(output), 0o600);
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(output, 'utf8')) as {
    nodes: { id: number; callFrame: { functionName: string; url: string } }[];
    samples: number[];
    timeDeltas: number[];
  };
  assert.equal(samples.length, timeDeltas.length);
  // By file: V8 may inline the function.
  const ids = new Set(nodes.filter(({ callFrame }) => callFrame.url.endsWith('app/router.js')).map(({ id }) => id));
  assert.ok(samples.filter((id) => ids.has(id)).length > samples.length / 4);
  const again = await clutch('profile', String(workers[0]), dir, '--heap', '--output', output);
  assert.match(again.stderr, /ERR_CLUTCH_PROFILE: .* is there already\n +Give another --output/);
});

test('the Agent, the Master and allocations are profiled, too; without --output in run/profiles', async (t) => {
  const { dir, pids } = await start(t, { workers: 1, hangTimeout: 10_000 });
  const { master, agent, workers } = await pids();
  const ofMaster = await take(dir, master, 'cpu', 0.2);
  const ofAgent = await take(dir, agent as number, 'allocations', 0.2);
  const ofWorker = await take(dir, workers[0] as number, 'allocations', 0.2);
  assert.deepEqual(
    [ofMaster, ofAgent, ofWorker].map(({ process }) => process),
    ['Master', 'agent', 'app worker'],
  );
  assert.match(
    path.relative(dir, ofAgent.file),
    new RegExp(`^run/profiles/agent-${agent}-\\d{8}-\\d{9}\\.heapprofile$`),
  );
  assert.ok((JSON.parse(readFileSync(ofMaster.file, 'utf8')) as { nodes: unknown[] }).nodes.length > 1);
  assert.ok('head' in JSON.parse(readFileSync(ofAgent.file, 'utf8')));
  assert.equal(readdirSync(path.join(dir, 'run/profiles')).length, 3);
});

test('a worker that stands still for a heap snapshot is neither killed nor given connections', async (t) => {
  const { dir, url, pids, output } = await start(t);
  const { workers } = await pids();
  const [first, second] = workers as [number, number];
  for (let filled = 0; filled < 1; ) {
    const { pid } = await requestJson<{ pid: number }>(url);
    if (pid === second && (filled += 1)) await request(`${url}/fill`);
  }
  let isDone = false;
  const snapshot = take(dir, first, 'heap').finally(() => {
    isDone = true;
  });
  let longest = 0;
  const served = new Set<number>();
  while (!isDone) {
    const begin = performance.now();
    const { pid } = await requestJson<{ pid: number }>(url);
    longest = Math.max(longest, performance.now() - begin);
    served.add(pid);
  }
  const { file, bytes, took } = await snapshot;
  assert.ok(took > HANG_TIMEOUT, `it took ${took} ms`);
  assert.ok(longest < took, `a request took ${longest} of ${took} ms`);
  assert.ok(served.has(second));
  assert.equal(modeOf(file), 0o600);
  assert.ok(bytes > 10_000_000);
  assert.match(beginOf(file), /^\{"snapshot":\{"meta":/);
  assert.deepEqual(new Set((await pids()).workers), new Set(workers));
  assert.doesNotMatch(output(), /no heartbeat|replaced/);
  await until('it serves again', async () => (await requestJson<{ pid: number }>(url)).pid === first);
});

test('a second profile is refused, and one whose process dies leaves an error and no file', async (t) => {
  const { dir, pids } = await start(t, { hangTimeout: 10_000 });
  const [first, second] = (await pids()).workers as [number, number];
  const dying = take(dir, first, 'cpu', 60);
  dying.catch(() => undefined);
  const profiles = path.join(dir, 'run/profiles');
  await until('it is being written', () => existsSync(profiles) && readdirSync(profiles).length === 1);
  await assert.rejects(take(dir, second, 'heap'), /a CPU profile of app worker \d+ is being taken/);
  process.kill(first, 'SIGKILL');
  await assert.rejects(
    dying,
    new RegExp(`there is no CPU profile of app worker ${first}: it has ended: ended by SIGKILL`),
  );
  assert.deepEqual(readdirSync(profiles), []);
  await until('it is gone', () => !isAlive(first));
  await assert.rejects(take(dir, first, 'cpu'), /no process of this app has pid/);
  assert.equal((await take(dir, second, 'cpu', 0.1)).pid, second);
});

test('wrong requests and files that cannot be written are errors that say why', async (t) => {
  const { dir, pids } = await start(t, { workers: 1, hangTimeout: 10_000 });
  const pid = String((await pids()).workers[0]);
  assert.match((await clutch('profile', 'abc', dir)).stderr, /the pid is abc/);
  assert.match((await clutch('profile', pid, dir, '--cpu', 'soon')).stderr, /--cpu is no time/);
  assert.match((await clutch('profile', pid, dir, '--cpu', '1h')).stderr, /--cpu is no time/);
  assert.match((await clutch('profile', pid, dir, '--cpu', '10m')).stderr, /cannot take 600 seconds/);
  assert.match((await clutch('profile', pid, dir, '--heap', '--allocations')).stderr, /one at a time/);
  mkdirSync(path.join(dir, 'run'), { recursive: true });
  writeFileSync(path.join(dir, 'run/profiles'), 'a file');
  const { code, stderr } = await clutch('profile', pid, dir, '--cpu', '100ms');
  assert.equal(code, 1);
  assert.match(stderr, /ERR_CLUTCH_PROFILE: there is no CPU profile of app worker \d+: E(?:NOTDIR|EXIST)/);
});

test('threads are profiled by their ids', async (t) => {
  const { dir, pids } = await start(t, { workers: 1, startMode: 'worker_threads', hangTimeout: 10_000 });
  const { workers, agent } = await pids();
  const cpu = await take(dir, workers[0] as number, 'cpu', 0.2);
  assert.match(path.basename(cpu.file), new RegExp(`^app-worker-${workers[0]}-`));
  const heap = await take(dir, agent as number, 'heap');
  assert.match(beginOf(heap.file), /^\{"snapshot":/);
});
