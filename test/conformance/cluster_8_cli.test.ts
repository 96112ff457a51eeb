import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { CLI, isAlive, temporaryDirectory, until } from '../support/apps.js';
import { freePort, request } from '../support/http.js';
import { type Files, writeApp } from '../support/loaded_app.js';

const run = promisify(execFile);

interface Outcome {
  code: number;
  output: string;
}

async function clutch(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  try {
    const all = { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_ENV: undefined, ...env };
    const { stdout, stderr } = await run(process.execPath, [CLI, ...args], { env: all });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

/** An app, and how it is started as a daemon. */
function daemonOf(t: TestContext, files: Files = {}) {
  // Registered first, so that it runs before the directories are removed.
  t.after(() => clutch(['stop', dir]));
  const home = temporaryDirectory(t);
  const dir = writeApp(t, {
    'app/router.js': "module.exports = (app) => app.get('/', (ctx) => { ctx.body = 'served'; });",
    ...files,
  });
  const start = (flags: string[] = ['--port', '0'], env: NodeJS.ProcessEnv = {}) =>
    clutch(['start', dir, '--daemon', '--workers', '1', ...flags], { EGG_HOME: home, ...env });
  const { name } = JSON.parse(readFileSync(path.join(dir, 'package.json'), 'utf8')) as { name: string };
  return { dir, logs: path.join(home, 'logs', name), start };
}

const startedOn = (output: string): { url: string; pid: number } => {
  const [, url, pid] = /started on (\S+), pid (\d+)/.exec(output) ?? [];
  return { url: url as string, pid: Number(pid) };
};

test('a daemon', async (t) => {
  const { dir, logs, start } = daemonOf(t);
  const first = await start();
  const { url, pid } = startedOn(first.output);

  await t.test('cluster 8.77 start --daemon returns with the address, and keeps older logs', async () => {
    assert.equal(first.code, 0, first.output);
    assert.equal((await request(url)).body, 'served');
    assert.match(readFileSync(path.join(logs, 'master-stdout.log'), 'utf8'), /started on/);
  });

  await t.test('cluster 8.81 stop ends the app of its directory and no other', async () => {
    const other = daemonOf(t);
    const neighbour = startedOn((await other.start()).output);
    // Egg's prefix of a title: a directory whose path begins like that of a running app is another app.
    for (const nobody of [writeApp(t), path.dirname(other.dir), other.dir.slice(0, -1)]) await clutch(['stop', nobody]);
    assert.ok(isAlive(pid) && isAlive(neighbour.pid));
    assert.equal((await clutch(['stop', other.dir])).code, 0);
    assert.equal(isAlive(neighbour.pid), false);
    assert.ok(isAlive(pid));
    assert.equal((await request(url)).body, 'served');
  });

  await t.test('cluster 8.83 stop returns as soon as the processes are gone', async () => {
    const begin = Date.now();
    assert.equal((await clutch(['stop', dir])).code, 0);
    assert.equal(isAlive(pid), false);
    assert.ok(Date.now() - begin < 4000);
  });

  await t.test('cluster 8.82 stop with nothing to stop is a warning', async () => {
    const { code, output } = await clutch(['stop', dir]);
    assert.equal(code, 0);
    assert.match(output, /no app of Clutch is running/);
  });

  await t.test('cluster 8.84 the port is of the flag, of eggScriptsConfig, or of PORT', async () => {
    const [flag, config, variable] = [await freePort(), await freePort(), await freePort()];
    const scripts = { 'package.json': JSON.stringify({ name: 'demo', eggScriptsConfig: { port: config } }) };
    for (const [port, files, flags] of [
      [flag, scripts, ['--port', String(flag)]],
      [config, scripts, []],
      [variable, {}, []],
    ] as const) {
      const daemon = daemonOf(t, files);
      const { output } = await daemon.start([...flags], { PORT: String(variable) });
      assert.equal(startedOn(output).url, `http://127.0.0.1:${port}`, output);
      await clutch(['stop', daemon.dir]);
    }
    const again = await start();
    assert.equal(again.code, 0);
    assert.ok(readdirSync(logs).some((name) => /^master-stdout\.log\.\d{8}\.\d{6}$/.test(name)));
  });
});

test('cluster 8.78 a daemon whose boot fails: code 1, the end of stderr, no process left', async (t) => {
  const { dir, start } = daemonOf(t, {
    'app.js': "require('fs').writeFileSync(__dirname + '/pid', String(process.pid)); throw new Error('no database');",
  });
  const { code, output } = await start();
  assert.equal(code, 1);
  assert.match(output, /no database/);
  const pid = Number(readFileSync(path.join(dir, 'pid'), 'utf8'));
  await until('no process is left', () => !isAlive(pid));
});

test('cluster 8.79 a daemon that is slower than --timeout: code 1, and it is ended', async (t) => {
  const { dir, start } = daemonOf(t, {
    'agent.js': `require('fs').writeFileSync(__dirname + '/pids', [process.ppid, process.pid].join());
      module.exports = (agent) => agent.beforeStart(() => new Promise((done) => setTimeout(done, 60000)));`,
  });
  const begin = Date.now();
  const { code, output } = await start(['--port', '0', '--timeout', '3000']);
  assert.equal(code, 1);
  assert.match(output, /not ready within 3000 ms \(timeout\)/);
  assert.ok(Date.now() - begin < 40_000, 'it does not wait for the Agent');
  const pids = readFileSync(path.join(dir, 'pids'), 'utf8').split(',').map(Number);
  assert.equal(pids.length, 2);
  for (const pid of pids) await until(`${pid} is gone`, () => !isAlive(pid));
});

test('cluster 8.80 what a boot prints to stderr is no failure, and a failing one is one', async (t) => {
  const noisy = daemonOf(t, { 'agent.js': "console.error('only a note');" });
  const started = await noisy.start();
  assert.equal(started.code, 0, started.output);
  assert.match(readFileSync(path.join(noisy.logs, 'master-stderr.log'), 'utf8'), /only a note/);
  assert.equal((await request(startedOn(started.output).url)).body, 'served');
  const broken = daemonOf(t, { 'agent.js': "console.error('no licence'); process.exit(3);" });
  for (const flags of [[], ['--ignore-stderr']]) {
    const { code, output } = await broken.start(['--port', '0', ...flags]);
    assert.equal(code, 1);
    assert.match(output, /no licence/);
  }
});

/** Runs a Master with an inspector. */
async function startInspected(t: TestContext) {
  const baseDir = writeApp(t);
  const port = await freePort();
  const script = `import { startCluster } from 'koa-clutch';
    const { pids } = await startCluster({ baseDir: ${JSON.stringify(baseDir)}, workers: 2, port: 0 });
    process.send({ action: 'pids', data: pids });`;
  const child = spawn(process.execPath, [`--inspect=${port}`, '--input-type=module', '-e', script], {
    cwd: baseDir,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: { ...process.env, EGG_HOME: baseDir, EGG_AGENT_DEBUG_PORT: String(await freePort()) },
  });
  t.after(() => child.kill('SIGTERM'));
  const messages: { action: string; from?: string; data: unknown }[] = [];
  child.on('message', (message) => messages.push(message as (typeof messages)[number]));
  const { data } = await until('the cluster is ready', () => messages.find(({ action }) => action === 'pids'));
  return { child, port, messages, pids: data as { agent: number; workers: number[] } };
}

test('a Master with an inspector', async (t) => {
  const { child, port, messages, pids } = await startInspected(t);

  await t.test('cluster 8.85 the parent learns the inspector port of each process', async () => {
    const debug = await until('all have reported', () => {
      const all = messages.filter(({ action }) => action === 'debug');
      return all.length === 3 && all;
    });
    const ports = (from: string): number[] =>
      debug.flatMap((each) => (each.from === from ? [(each.data as { debugPort: number }).debugPort] : []));
    assert.equal(ports('agent').length, 1);
    assert.deepEqual(ports('app').sort(), [port + 1, port + 2]);
  });

  await t.test('cluster 8.86 when a debugger kills a worker, the Master ends with 0', async () => {
    const exited = once(child, 'exit');
    process.kill(pids.workers[0] as number, 'SIGKILL');
    assert.deepEqual(await exited, [0, null]);
  });
});
