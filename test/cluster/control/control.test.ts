import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { askMaster, type ClusterStatus, controlPath } from 'koa-clutch/cluster';
import {
  CLI,
  isAlive,
  launch,
  type RunningCluster,
  startTestCluster,
  temporaryDirectory,
  until,
} from '../../support/apps.js';
import { request, requestJson, startLoadProcess } from '../../support/http.js';

const run = promisify(execFile);

function clutch(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return run(process.execPath, [CLI, ...args], { env: { ...process.env, NODE_TEST_CONTEXT: undefined } }).then(
    (result) => ({ code: 0, ...result }),
    (error) => error,
  );
}

/** An app in a directory of its own, so that its control socket is its own, too. */
function writeApp(dir: string): string {
  mkdirSync(path.join(dir, 'app'), { recursive: true });
  writeFileSync(path.join(dir, 'package.json'), '{ "name": "controlled" }');
  writeFileSync(
    path.join(dir, 'app/router.js'),
    `module.exports = ({ router }) => {
       router.get('/', (ctx) => { ctx.body = { pid: process.pid }; });
       router.get('/fails', () => { throw new Error('on purpose'); });
       router.get('/slow', async (ctx) => { await new Promise((done) => setTimeout(done, 100)); ctx.body = 'slow'; });
     };`,
  );
  return dir;
}

async function start(
  t: TestContext,
  options: object = {},
  dir = temporaryDirectory(t),
): Promise<RunningCluster & { dir: string }> {
  const cluster = await startTestCluster(t, { baseDir: writeApp(dir), workers: 2, hangTimeout: 800, ...options });
  await until('the control socket answers', () => askMaster(dir, { command: 'status' }).catch(() => undefined));
  return { ...cluster, dir };
}

test('W24: clutch status tells of each process what an operator asks', async (t) => {
  const cluster = await start(t);
  const { agent, workers, master } = await cluster.pids();
  process.kill(workers[0] as number, 'SIGKILL');
  await until(
    'there are two workers again',
    async () =>
      !(await cluster.pids()).workers.includes(workers[0] as number) && (await cluster.pids()).workers.length === 2,
  );
  const status = await until('all have told of themselves', async () => {
    const { stdout } = await clutch('status', cluster.dir, '--json');
    const parsed = JSON.parse(stdout) as ClusterStatus;
    return parsed.processes.every(({ memory }) => memory) && parsed;
  });
  assert.equal(status.state, 'ready');
  assert.equal(status.address, cluster.url);
  assert.deepEqual(
    new Set(status.processes.map(({ pid }) => pid)),
    new Set([master, agent, ...(await cluster.pids()).workers]),
  );
  for (const { kind, ...process } of status.processes) {
    assert.ok((process.memory as number) > 10 && process.uptime >= 0 && process.state === 'ready');
    if (kind === 'master') continue;
    assert.ok(
      [process.cpu, process.loopP50, process.loopP99].every((value) => typeof value === 'number' && value >= 0),
    );
    if (kind === 'app worker') assert.ok(process.inFlight === 0 && typeof process.requests === 'number');
  }
  const restarted = status.processes.find(({ restarts }) => restarts === 1);
  assert.equal(restarted?.lastExit, 'ended by SIGKILL');
  const { stdout: table } = await clutch('status', cluster.dir);
  assert.match(
    table,
    /process +pid +state +uptime +restarts +MiB +cpu % +loop p50\/p99 ms +requests +connections +in flight +last exit/,
  );
  assert.match(table, /app worker 1 +\d+ +ready/);
  await clutch('reload', cluster.dir);
  const reloaded = (await cluster.status()).processes;
  assert.deepEqual(
    reloaded.flatMap(({ lastExit = [] }) => lastExit),
    [],
    'the processes that a reload has started have nothing to do with that exit',
  );
});

test('a slot in backoff is listed with its attempt, its next try and its last error', async (t) => {
  const cluster = await start(t, { workers: 1, admin: { port: 0 } });
  for (const role of ['app', 'agent']) {
    writeFileSync(path.join(cluster.dir, `${role}.js`), `throw new Error('no database for the ${role}');`);
  }
  const { agent, workers } = await cluster.pids();
  for (const pid of [agent, ...workers]) process.kill(pid as number, 'SIGKILL');
  for (const [kind, role] of [
    ['app worker 0', 'app'],
    ['agent', 'agent'],
  ]) {
    const line = new RegExp(`^${kind} +backoff, attempt \\d+ in \\d+s .*no database for the ${role}`, 'm');
    await until(`${kind} is in backoff`, async () => line.test((await clutch('status', cluster.dir)).stdout), 20_000);
  }
  const { processes } = await until('both are in backoff', async () => {
    const status = JSON.parse((await clutch('status', cluster.dir, '--json')).stdout) as ClusterStatus;
    return status.processes.filter(({ state }) => state === 'backoff').length === 2 && status;
  });
  for (const { attempt, nextAttempt, pid } of processes.slice(1)) {
    assert.ok((attempt as number) > 3);
    assert.ok(!Number.isNaN(Date.parse(nextAttempt as string)));
    assert.equal(pid, undefined);
  }
  const admin = await cluster.admin();
  await until('metrics tell of both', async () => {
    const { body } = await request(`${admin}/metrics`);
    return (
      /^clutch_backoff_attempt{kind="agent",slot="0"} \d+$/m.test(body) &&
      /^clutch_backoff_attempt{kind="app worker",slot="0"} \d+$/m.test(body)
    );
  });
});

test('clutch status --watch refreshes', async (t) => {
  const cluster = await start(t);
  let output = '';
  const child = spawn(process.execPath, [CLI, 'status', cluster.dir, '--watch'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  await until('it has printed twice', () => (output.match(/is ready/g)?.length ?? 0) >= 2);
});

test('W24: clutch workers scales up and down under load without a failed request', async (t) => {
  const cluster = await start(t, { workers: 1 });
  const load = await startLoadProcess(t, cluster.url);
  assert.match((await clutch('workers', '3', cluster.dir)).stdout, /there are 3 app workers now/);
  const grown = (await cluster.pids()).workers;
  assert.equal(grown.length, 3);
  await clutch('workers', '1', cluster.dir);
  assert.equal((await cluster.pids()).workers.length, 1);
  await until('the others are gone', () => grown.filter(isAlive).length === 1);
  const { 200: ok = 0, ...failed } = await load.stop();
  assert.deepEqual(failed, {});
  assert.ok(ok > 100);
  for (const count of ['0', '5000'])
    assert.match((await clutch('workers', count, cluster.dir)).stderr, /from 1 to 1024/);
  await assert.rejects(cluster.scale(undefined as unknown as number), /whole number from 1 to 1024/);
  assert.match((await clutch('workers', 'many', cluster.dir)).stderr, /the number of workers is many/);
});

test('clutch reload and stop speak to the Master, and tell when there is none', async (t) => {
  const cluster = await start(t);
  const before = await cluster.pids();
  assert.match((await clutch('reload', cluster.dir)).stdout, /reloaded/);
  const after = await cluster.pids();
  for (const pid of before.workers) assert.ok(!after.workers.includes(pid));
  writeFileSync(path.join(cluster.dir, 'app.js'), `module.exports = () => { throw new Error('worse than before'); };`);
  const failed = await clutch('reload', cluster.dir);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /ERR_CLUTCH_CONTROL: reload failed: .*worse than before/);
  assert.equal((await request(cluster.url)).status, 200);
  assert.match((await clutch('stop', cluster.dir)).stdout, /stopped/);
  assert.equal(isAlive(before.master), false);
  for (const command of ['status', 'reload']) {
    assert.match(
      (await clutch(command, cluster.dir)).stderr,
      /ERR_CLUTCH_NOT_RUNNING: no app of Clutch is running here/,
    );
  }
});

test('the control socket is for its user only, and survives nonsense', async (t) => {
  const cluster = await start(t);
  const file = controlPath(cluster.dir);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const say = (text: string | Buffer): Promise<string> =>
    new Promise((resolve) => {
      let answer = '';
      const socket = net.connect(file, () => socket.write(text));
      socket.on('data', (chunk) => (answer += String(chunk)));
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(answer));
    });
  assert.match(await say('{"command":"explode"}\n'), /unknown command/);
  assert.match(await say('{"command":"workers","count":"3"}\n'), /unknown command/);
  assert.match(await say('not json\n'), /error/);
  assert.match(await say('null\n'), /error/);
  assert.equal(await say(Buffer.alloc(4096, 'x')), '');
  assert.equal((await cluster.status()).state, 'ready');
});

test('a path too long for a socket is no obstacle', async (t) => {
  const cluster = await start(t, {}, path.join(temporaryDirectory(t), 'long-'.repeat(30)));
  assert.ok(controlPath(cluster.dir).length < 100);
  assert.match((await clutch('status', cluster.dir)).stdout, /is ready/);
});

test('status counts responses with status 5xx over reloads, and says what the last reload did', async (t) => {
  const cluster = await start(t);
  const status = async (): Promise<ClusterStatus> =>
    (await askMaster(cluster.dir, { command: 'status' })) as ClusterStatus;
  assert.equal((await status()).lastReload, undefined);
  for (let index = 0; index < 3; index += 1) assert.equal((await request(`${cluster.url}/fails`)).status, 500);
  await request(`${cluster.url}/`);
  const counted = await until('they are counted', async () => {
    const { served } = await status();
    return served.requests === 4 && served;
  });
  assert.deepEqual(counted, { requests: 4, errors: 3 });
  await cluster.reload();
  const { served, lastReload } = await status();
  assert.deepEqual(served, { requests: 4, errors: 3 });
  assert.equal(lastReload?.outcome, 'done');
  writeFileSync(path.join(cluster.dir, 'app.js'), "throw new Error('no way');");
  await assert.rejects(cluster.reload(), /no way/);
  const failed = (await status()).lastReload;
  assert.equal(failed?.outcome, 'failed');
  assert.match(String(failed?.reason), /no way/);
});

test('the admin listener answers probes and tells metrics of all processes', async (t) => {
  const cluster = await start(t, { admin: { port: 0 } });
  const admin = await cluster.admin();
  assert.match(admin, /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.equal((await request(`${admin}/livez`)).status, 200);
  assert.equal((await request(`${admin}/readyz`)).status, 200);
  assert.equal((await request(`${admin}/other`)).status, 404);
  assert.equal((await request(`${admin}/metrics`, { method: 'POST' })).status, 405);
  for (let index = 0; index < 10; index += 1) await request(`${cluster.url}/slow`);
  const metrics = async (): Promise<string> => (await request(`${admin}/metrics`)).body;
  const text = await until('the requests are counted', async () => {
    const current = await metrics();
    return /^clutch_http_requests_total 10$/m.test(current) && current;
  });
  assert.match(
    text,
    /^clutch_http_request_duration_seconds_bucket{method="GET",route="\/slow",status="2xx",le="0.05"} 0$/m,
  );
  assert.match(
    text,
    /^clutch_http_request_duration_seconds_bucket{method="GET",route="\/slow",status="2xx",le="\+Inf"} 10$/m,
  );
  assert.match(text, /^clutch_http_request_duration_seconds_count{method="GET",route="\/slow",status="2xx"} 10$/m);
  const { agent, workers, master } = await cluster.pids();
  for (const [kind, pid] of [
    ['master', master],
    ['agent', agent],
    ...workers.map((worker) => ['app worker', worker]),
  ]) {
    assert.match(text, new RegExp(`^clutch_heap_used_bytes{kind="${kind}",pid="${pid}"} \\d+$`, 'm'));
  }
  assert.match(text, /^clutch_event_loop_delay_seconds{kind="agent",pid="\d+",quantile="0.99"} /m);
  // Counts outlive the processes that have counted.
  await cluster.reload();
  await until('the old ones are gone', () => !workers.some(isAlive));
  assert.match(await metrics(), /^clutch_http_requests_total 10$/m);
  const last = (await cluster.status()).processes.find(({ slot, state }) => slot === 1 && state === 'ready');
  process.kill(last?.pid as number, 'SIGKILL');
  await until('it is counted', async () => /^clutch_restarts_total{kind="app worker"} 1$/m.test(await metrics()));
  await cluster.scale(1);
  assert.match(await metrics(), /^clutch_restarts_total{kind="app worker"} 1$/m);
});

test('/readyz is false while the cluster drains, /livez stays true', async (t) => {
  const cluster = await start(t, { admin: { port: 0 } });
  const admin = await cluster.admin();
  const slow = Array.from({ length: 4 }, () =>
    requestJson(`${cluster.url}/`).then(() => request(`${cluster.url}/slow`)),
  );
  await Promise.all(slow);
  const held = net.connect(Number(new URL(cluster.url).port), '127.0.0.1');
  t.after(() => held.destroy());
  held.write('GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n');
  await new Promise((resolve) => held.once('data', resolve));
  const exit = cluster.stop();
  await until('it is not ready', async () => (await request(`${admin}/readyz`)).status === 503);
  assert.equal((await request(`${admin}/livez`)).status, 200);
  held.destroy();
  assert.equal(await exit, 0);
});

test('an admin port that is used ends the boot', async (t) => {
  const holder = net.createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  t.after(() => holder.close());
  const { port } = holder.address() as net.AddressInfo;
  const { exited, output } = launch(t, { baseDir: writeApp(temporaryDirectory(t)), admin: { port } });
  assert.equal(await exited, 1);
  assert.match(output(), new RegExp(`the admin listener cannot use port ${port}`));
});
