import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { CLI, until } from '../../support/apps.js';
import { SKIP, startMachine, startServer, type TestMachine } from '../../support/fleet.js';
import { request } from '../../support/http.js';

const run = promisify(execFile);

function clutch(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return run(process.execPath, [CLI, ...args], { env: { ...process.env, NODE_TEST_CONTEXT: undefined } }).then(
    (result) => ({ code: 0, ...result }),
    (error) => error,
  );
}

const ROUTER = "module.exports = (app) => { app.get('/', (ctx) => { ctx.body = 'fine'; }); };";
const FAULTY = "module.exports = (app) => { app.get('/', () => { throw new Error('on purpose'); }); };";

async function threeMachines(t: TestContext): Promise<TestMachine[]> {
  const server = await startServer(t, 'redis');
  const machines: TestMachine[] = [];
  for (const name of ['a', 'b', 'c']) {
    const fleet = { adapter: 'redis', url: server.url };
    machines.push(await startMachine(t, name, fleet, { 'app/router.js': ROUTER }, { workers: 1 }));
  }
  const [a] = machines as [TestMachine];
  await until('all are ready', async () => {
    const { members } = JSON.parse((await clutch('fleet', 'status', '--json', a.baseDir)).stdout);
    return members.length === 3 && members.every(({ state }: { state: string }) => state === 'ready');
  });
  return machines;
}

/** Sends requests one after the other until it is stopped. */
function visit({ cluster }: TestMachine): { stop(): Promise<number[]> } {
  const statuses: number[] = [];
  let going = true;
  const done = (async () => {
    while (going) {
      statuses.push((await request(`${cluster.url}/`)).status);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  return {
    stop: async () => {
      going = false;
      await done;
      return statuses;
    },
  };
}

const workersOf = async (machines: TestMachine[]): Promise<number[]> =>
  (await Promise.all(machines.map(({ cluster }) => cluster.pids()))).flatMap(({ workers }) => workers);

test('clutch fleet reload replaces one machine after the other, and no request fails', {
  skip: SKIP.redis,
}, async (t) => {
  const machines = await threeMachines(t);
  const [a, b] = machines as [TestMachine, TestMachine, TestMachine];
  const before = await workersOf(machines);
  const visitors = machines.map(visit);
  const first = clutch('fleet', 'reload', '--wait', '2', a.baseDir);
  await until('it has the lease', async () => {
    const { leaders } = JSON.parse((await clutch('fleet', 'status', '--json', a.baseDir)).stdout);
    return leaders['clutch:reload'] === 'a';
  });
  const second = await clutch('fleet', 'reload', b.baseDir);
  assert.equal(second.code, 1);
  assert.match(second.stderr, /another reload of the fleet runs, begun on machine a/);
  const { code, stdout, stderr } = await first;
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^b, c, a: all are ready[\s\S]*b is reloaded[\s\S]*c is reloaded[\s\S]*a is reloaded/);
  assert.match(stdout, /reloaded: b, c, a\n$/);
  for (const visitor of visitors) assert.deepEqual([...new Set(await visitor.stop())], [200]);
  const after = await workersOf(machines);
  assert.equal(after.filter((pid) => before.includes(pid)).length, 0);
  const { members } = JSON.parse((await clutch('fleet', 'status', '--json', a.baseDir)).stdout);
  assert.deepEqual(
    members.map(({ id }: { id: string }) => id),
    ['a', 'b', 'c'],
  );
});

test('clutch fleet reload stops at a machine whose errors grow, or whose code does not start, and leaves the rest', {
  skip: SKIP.redis,
}, async (t) => {
  const machines = await threeMachines(t);
  const [a, b, c] = machines as [TestMachine, TestMachine, TestMachine];
  const before = await workersOf([a, c]);
  writeFileSync(path.join(b.baseDir, 'app/router.js'), FAULTY);
  const visitor = visit(b);
  const errors = JSON.parse((await clutch('fleet', 'reload', '--wait', '2', '--json', a.baseDir)).stdout);
  assert.match(errors.stopped.reason, /^100\.0 % of \d+ responses have status 5xx after its reload, 0\.0 % of \d+/);
  assert.deepEqual(
    { ...errors, stopped: errors.stopped.member },
    { reloaded: [], stopped: 'b', untouched: ['c', 'a'] },
  );
  await visitor.stop();
  assert.deepEqual(await workersOf([a, c]), before);

  writeFileSync(path.join(b.baseDir, 'app.js'), "throw new Error('no way');");
  const failed = await clutch('fleet', 'reload', '--wait', '0', a.baseDir);
  assert.equal(failed.code, 1);
  assert.match(
    failed.stdout + failed.stderr,
    /^stopped at machine b: its reload failed: .*no way \(replaced before and left so: the Agent, 0 of 1 app workers\)\nreloaded: none\nuntouched: c, a$/m,
  );
  assert.deepEqual(await workersOf([a, c]), before);

  const { agent } = await c.cluster.pids();
  process.kill(agent as number, 'SIGSTOP');
  const silent = await clutch('fleet', 'reload', '--wait', '0', a.baseDir);
  process.kill(agent as number, 'SIGCONT');
  assert.equal(silent.code, 1);
  assert.match(silent.stderr, /machine c sends no reply, nothing is reloaded/);
  assert.equal((await clutch('fleet', 'reload', '--wait', 'long', a.baseDir)).code, 2);
});

test('clutch fleet config shows which values differ, secrets as hashes; history shows the runs of each machine', {
  skip: SKIP.redis,
}, async (t) => {
  const server = await startServer(t, 'redis');
  const schedule = "exports.schedule = { type: 'fleet', interval: '1s' }; exports.task = () => {};";
  const config = (database: string, limit: number) =>
    `exports.database = { password: '${database}', url: 'mysql://shop:${database}@db/shop' };
     exports.limit = ${limit};
     exports.dir = require('path').join(__dirname, 'data');`;
  const machines: TestMachine[] = [];
  for (const [name, password, limit] of [
    ['a', 'first-password', 1],
    ['b', 'second-password', 1],
    ['c', 'second-password', 2],
  ] as const) {
    const fleet = { adapter: 'redis', url: server.url };
    const files = { 'config/config.prod.js': config(password, limit), 'app/schedule/tick.js': schedule };
    machines.push(await startMachine(t, name, fleet, files, { workers: 1 }));
  }
  const [a] = machines as [TestMachine];
  const compared = JSON.parse((await clutch('fleet', 'config', '--json', a.baseDir)).stdout);
  assert.deepEqual(compared.machines, ['a', 'b', 'c']);
  const byKey = new Map<string, Record<string, string>>(
    compared.differences.map(({ key, values }: { key: string; values: Record<string, string> }) => [key, values]),
  );
  assert.deepEqual([...byKey.keys()], ['database.password', 'database.url', 'limit']);
  assert.deepEqual(byKey.get('limit'), { a: '1', b: '1', c: '2' });
  const passwords = byKey.get('database.password') ?? {};
  assert.match(passwords['a'] ?? '', /^<secret> #[0-9a-f]{8}$/);
  assert.notEqual(passwords['a'], passwords['b']);
  assert.equal(passwords['b'], passwords['c']);
  assert.match(byKey.get('database.url')?.['a'] ?? '', /^"mysql:\/\/shop:\*\*\*@db\/shop" #/);
  const { stdout } = await clutch('fleet', 'config', a.baseDir);
  assert.doesNotMatch(stdout, /-password/);
  assert.match(stdout, /^limit +1 +a, b\n +2 +c$/m);

  const { runs } = await until('it has run', async () => {
    const found = JSON.parse((await clutch('fleet', 'history', '--json', a.baseDir)).stdout);
    return found.runs.length >= 3 && found;
  });
  const ended = runs.find(({ result }: { result?: object }) => result);
  assert.equal(ended.schedule, 'tick');
  assert.match(ended.member, /^[abc]$/);
  assert.equal(ended.result.success, true);
  assert.match((await clutch('fleet', 'history', a.baseDir)).stdout, /^[abc] +tick .* 1 +\d+ ms +ok$/m);
});
