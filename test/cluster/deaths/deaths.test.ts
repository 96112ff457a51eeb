import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import type { DeathRecord } from 'koa-clutch/cluster';
import { readDeaths } from '../../../cluster/deaths/death_file.js';
import { CLI, type RunningCluster, startTestCluster, temporaryDirectory, until } from '../../support/apps.js';
import { request } from '../../support/http.js';
import { writeApp } from '../../support/loaded_app.js';

const run = promisify(execFile);

const FILES = {
  'package.json': '{ "name": "mortal" }',
  'app/router.js': `module.exports = ({ router }) => {
    router.get('/', (ctx) => { ctx.body = 'ok'; });
    router.get('/throw', (ctx) => { setTimeout(() => { throw new Error('boom, password=hunter2'); }); ctx.body = ''; });
    router.get('/exit', () => process.exit(3));
    router.get('/abort', () => process.abort());
    router.get('/fill', () => {
      const kept = [];
      // Slowly in the end, so that a heartbeat tells of it.
      const count = () => process.memoryUsage().heapUsed > 205 * 1024 * 1024 ? 800 : 20000;
      setInterval(() => { for (let i = count(); i > 0; i -= 1) kept.push({ text: 'x' + i }); }, 5);
    });
    router.get('/block', (ctx) => { setTimeout(function spin() { for (;;); }); ctx.body = ''; });
    router.get('/say', (ctx) => { console.log('on stdout password=hunter2'); ctx.logger.info('in the log'); ctx.body = ''; });
  };`,
  'agent.js': `const { appendFileSync } = require('node:fs');
    module.exports = (agent) => {
      agent.on('death', ({ pid, reason }) => appendFileSync(__dirname + '/seen', pid + ' ' + reason + '\\n'));
    };`,
};

type MortalCluster = RunningCluster & { dir: string };

async function start(t: TestContext, options: object = {}, dir = writeApp(t, FILES)): Promise<MortalCluster> {
  return { ...(await startTestCluster(t, { baseDir: dir, workers: 1, ...options })), dir };
}

/** @returns the record of a worker's death, once another one serves */
async function death({ dir, ...cluster }: MortalCluster, pid: number): Promise<DeathRecord> {
  const found = await until(
    `the death of ${pid} is recorded\n${cluster.output()}`,
    () => readDeaths(dir).find((record) => record.pid === pid),
    30_000,
  );
  await until(
    'another worker serves',
    async () => {
      const { workers } = await cluster.pids();
      return workers.length === 1 && workers[0] !== pid;
    },
    30_000,
  );
  return found;
}

const worker = async (cluster: RunningCluster): Promise<number> => (await cluster.pids()).workers[0] as number;

test('the record of a death says how a worker ended, why, and by what', async (t) => {
  const cluster = await start(t);
  const die = async (where: string): Promise<DeathRecord> => {
    const pid = await worker(cluster);
    await request(`${cluster.url}${where}`).catch(() => undefined);
    return death(cluster, pid);
  };
  const thrown = await die('/throw');
  assert.deepEqual([thrown.reason, thrown.by, thrown.code, thrown.state], ['exception', 'itself', 1, 'draining']);
  assert.match(thrown.error?.stack as string, /boom, password=\*\*\*[\s\S]*router\.js:3/);
  assert.match(thrown.lines.join('\n'), /ERROR \d+ .*boom, password=\*\*\*/);
  assert.ok(thrown.uptime > 0 && (thrown.memory as number) > 10 && thrown.requests === 1);

  const exited = await die('/exit');
  assert.deepEqual([exited.reason, exited.code, exited.signal, exited.text], ['exit', 3, null, 'exited with code 3']);

  const aborted = await die('/abort');
  assert.deepEqual([aborted.reason, aborted.signal, aborted.killed], ['abort', 'SIGABRT', false]);

  const pid = await worker(cluster);
  process.kill(pid, 'SIGKILL');
  const killed = await death(cluster, pid);
  assert.deepEqual([killed.reason, killed.by, killed.signal, killed.slot], ['signal', 'signal', 'SIGKILL', 0]);
  assert.deepEqual(
    readFileSync(path.join(cluster.dir, 'seen'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[1]),
    ['exception', 'exit', 'abort', 'signal'],
    'the Agent gets an event for each',
  );
  assert.equal(statSync(path.join(cluster.dir, 'run/deaths.json')).mode & 0o777, 0o600);
});

test('a worker whose heap is full says so, with the figures of its last heartbeat', async (t) => {
  const cluster = await start(t, { execArgv: ['--max-old-space-size=256'] });
  const pid = await worker(cluster);
  void request(`${cluster.url}/fill`).catch(() => undefined);
  const { reason, by, text } = await death(cluster, pid);
  assert.deepEqual([reason, by], ['heap', 'itself']);
  assert.match(text, /^aborted, most likely heap out of memory: \d+ of \d+ MiB at the last heartbeat$/);
  assert.match(cluster.output(), /most likely heap out of memory/);
});

test('with stderr in a file, the record of a full heap has what V8 says', async (t) => {
  const dir = writeApp(t, FILES);
  const home = temporaryDirectory(t);
  const options = ['--port', '0', '--workers', '1', '--node-options', '--max-old-space-size=256'];
  const env = { ...process.env, NODE_ENV: 'production', EGG_HOME: home };
  const clutch = (...args: string[]) => run(process.execPath, [CLI, ...args], { cwd: dir, env });
  const { stdout } = await clutch('start', '--daemon', ...options);
  const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(stdout) as RegExpExecArray;
  void request(`${url}/fill`).catch(() => undefined);
  const isDead = () => readDeaths(dir).find(({ kind }) => kind === 'app worker');
  const found = await until('the death is recorded', isDead, 60_000).finally(() => clutch('stop'));
  assert.equal(found.reason, 'heap');
  assert.match(found.text, /^heap out of memory: \d+ of \d+ MiB at the last heartbeat$/);
  assert.match(found.lines.at(-1) as string, /^FATAL ERROR: .*JavaScript heap out of memory$/);
  assert.match(found.lines.at(-2) as string, new RegExp(`^\\[${found.pid}:0x`));
});

test('the record of a blocked process has its stack', async (t) => {
  // Long enough for the processes of a busy machine to boot.
  const cluster = await start(t, { hangTimeout: 4000 });
  const pid = await worker(cluster);
  await request(`${cluster.url}/block`);
  const { reason, by, killed, stack, silent } = await death(cluster, pid);
  assert.deepEqual([reason, by, killed], ['hang', 'watchdog', true]);
  assert.match(stack as string, /at spin .*router\.js/);
  assert.ok((silent as number) > 4000);
});

test('the last lines of a process that is killed are those of its last heartbeat, masked', async (t) => {
  const cluster = await start(t);
  const pid = await worker(cluster);
  await request(`${cluster.url}/say`);
  const heard = (await cluster.status()).processes.find((each) => each.pid === pid)?.uptime as number;
  await until('two more heartbeats', async () => {
    const now = (await cluster.status()).processes.find((each) => each.pid === pid)?.uptime as number;
    return now > heard + 2.2;
  });
  process.kill(pid, 'SIGKILL');
  const { lines } = await death(cluster, pid);
  assert.match(lines.join('\n'), /on stdout password=\*\*\*[\s\S]*in the log/);
});

test('who asked is in the record: a command with its user, or a signal to the Master', async (t) => {
  const cluster = await start(t);
  const { agent, workers, master } = await cluster.pids();
  await run(process.execPath, [CLI, 'reload', cluster.dir]);
  const reloaded = await death(cluster, workers[0] as number);
  assert.deepEqual([reloaded.reason, reloaded.by, reloaded.code], ['reload', 'request', 0]);
  assert.match(reloaded.asker as string, /^clutch reload of \S+, pid \d+$/);
  assert.ok(readDeaths(cluster.dir).some(({ pid, kind }) => pid === agent && kind === 'agent'));
  await cluster.stop();
  const last = readDeaths(cluster.dir).slice(-3);
  assert.deepEqual(
    last.map(({ kind, reason, asker }) => `${kind} ${reason} ${asker}`),
    ['app worker', 'agent', 'master'].map((kind) => `${kind} stop SIGTERM to the Master`),
  );
  assert.equal(last[2]?.pid, master);
});

test('records survive the Master, and the next one adds that it was killed', async (t) => {
  const first = await start(t);
  const pid = await worker(first);
  await request(`${first.url}/exit`).catch(() => undefined);
  await death(first, pid);
  await first.stop('SIGKILL');
  const second = await start(t, {}, first.dir);
  const [exited, master] = readDeaths(second.dir);
  assert.equal(exited?.pid, pid);
  assert.deepEqual([master?.kind, master?.pid, master?.reason], ['master', first.child.pid, 'signal']);
  assert.match(master?.text as string, /has left no record/);
});

test('clutch deaths prints a line for each, one in full, and JSON', async (t) => {
  const { dir, ...cluster } = await start(t);
  const pid = await worker(cluster);
  await request(`${cluster.url}/throw`);
  await death({ ...cluster, dir }, pid);
  const clutch = async (...args: string[]): Promise<string> =>
    (await run(process.execPath, [CLI, 'deaths', ...args], { cwd: dir })).stdout;
  assert.match(await clutch(), new RegExp(`^1 .* app worker 0 +${pid} .* exception +uncaughtException: boom`, 'm'));
  const details = await clutch('1');
  for (const part of [
    /reason +exception, by itself/,
    /ended +with code 1 while draining/,
    /error:\n +Error: boom/,
    /in flight +0 at the last heartbeat, \d+ ms before the end/,
    /its last lines:/,
  ])
    assert.match(details, part);
  assert.equal((JSON.parse(await clutch('--json')) as DeathRecord[])[0]?.pid, pid);
  await assert.rejects(clutch('77'), /there is no death number 77/);
  await assert.rejects(clutch('foo'), /foo is no number of the list that `clutch deaths` prints/);
});

test('a file of deaths that cannot be written or read is a line in the log', async (t) => {
  const dir = writeApp(t, FILES);
  mkdirSync(path.join(dir, 'run/deaths.json'), { recursive: true });
  const cluster = await start(t, {}, dir);
  const pid = await worker(cluster);
  process.kill(pid, 'SIGKILL');
  await until('another worker serves', async () => ![pid, undefined].includes((await cluster.pids()).workers[0]));
  assert.match(cluster.output(), /deaths\.json cannot be read, and its records are lost/);
  assert.equal(cluster.output().match(/deaths\.json cannot be written/g)?.length, 1);
});

test('a damaged file of deaths does not stop the start', async (t) => {
  const dir = writeApp(t, FILES);
  mkdirSync(path.join(dir, 'run'));
  writeFileSync(path.join(dir, 'run/deaths.json'), '{"deaths": [1, {"at": 5}, null]}');
  const cluster = await start(t, {}, dir);
  await cluster.stop();
  assert.deepEqual(
    readDeaths(dir).map(({ kind }) => kind),
    ['app worker', 'agent', 'master'],
  );
});
