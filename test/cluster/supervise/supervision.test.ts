import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import {
  fixture,
  isAlive,
  launch,
  printed,
  ROOT,
  type RunningCluster,
  startTestCluster,
  temporaryDirectory,
  until,
} from '../../support/apps.js';
import { request, requestJson } from '../../support/http.js';

const baseDir = fixture('faulty');

/** Waits until the cluster has `count` workers and none of `old`. */
function replaced(cluster: RunningCluster, old: number[], count = 2, timeout = 10_000): Promise<number[]> {
  return until(
    `workers other than ${old.join(', ')}`,
    async () => {
      const { workers } = await cluster.pids();
      return workers.length === count && !workers.some((pid) => old.includes(pid)) ? workers : undefined;
    },
    timeout,
  );
}

/** Has loggers write to the console for as long as the processes live. */
const LOG_TO_CONSOLE = { EGG_APP_CONFIG: '{"logger":{"disableConsoleAfterReady":false}}' };

const ask = (cluster: RunningCluster, where: string): Promise<{ pid: number }> => requestJson(`${cluster.url}${where}`);

test('W1, W2: a crash loop is slowed down, never given up, and over when the fault is gone', async (t) => {
  const faults = temporaryDirectory(t);
  const cluster = await startTestCluster(t, { baseDir, workers: 1 }, { FAULT_DIR: faults });
  writeFileSync(path.join(faults, 'broken'), 'yes');
  process.kill((await cluster.pids()).workers[0] as number, 'SIGKILL');
  await printed(cluster, /is replaced in \d+ ms: .*broken at boot/);
  await printed(cluster, /slot 0 is backing off/);
  const slot = await until('status shows the backoff', async () => {
    const { processes } = await cluster.status();
    return processes.find(({ state }) => state === 'backoff');
  });
  const { nextAttempt, attempt, restarts, lastExit, ...rest } = slot;
  assert.deepEqual(rest, { kind: 'app worker', state: 'backoff', uptime: 0, slot: 0 });
  assert.ok((attempt as number) >= 4 && (restarts as number) >= 4);
  assert.ok(Date.parse(nextAttempt as string) > Date.now() - 5000);
  assert.match(lastExit as string, /broken at boot/);
  const deaths = cluster.output().match(/died and is replaced/g)?.length ?? 0;
  assert.ok(deaths <= 6, `${deaths} deaths before it backed off`);
  rmSync(path.join(faults, 'broken'));
  await until('it serves again', async () => (await cluster.pids()).workers.length === 1, 20_000);
  assert.equal((await request(cluster.url)).status, 200);
});

for (const workers of [1, 2]) {
  test(`while none of ${workers} workers serves, one that had served is started again within a second, however often it has crashed`, async (t) => {
    const cluster = await startTestCluster(t, { baseDir, workers });
    const delays = (): number[] =>
      [...cluster.output().matchAll(/and is replaced (?:at once|in (\d+) ms)/g)].map(([, delay]) => Number(delay ?? 0));
    const count = workers * 6;
    for (let deaths = 1; deaths <= count; deaths += 1) {
      // The connection waits until there is a worker.
      await ask(cluster, '/throw');
      await until(`death ${deaths}`, () => delays().length >= deaths);
    }
    // With two workers, one may wait for long while the other one serves.
    assert.ok(delays().filter((delay) => delay > 1000).length <= (workers - 1) * 3, delays().join());
    assert.equal((await request(cluster.url)).status, 200);
  });
}

test('secrets in the error of a boot are masked in the log, the status and the reply to a reload', async (t) => {
  const app = temporaryDirectory(t);
  writeFileSync(path.join(app, 'package.json'), '{ "name": "secrets" }');
  writeFileSync(
    path.join(app, 'app.js'),
    `const { existsSync } = require('node:fs');
     module.exports = class {
       async didLoad() {
         if (existsSync(__dirname + '/broken')) throw new Error('db pw=hunter2 mysql://u:hunter2@h/db unreachable');
       }
     };`,
  );
  const cluster = await startTestCluster(t, { baseDir: app, workers: 1 });
  writeFileSync(path.join(app, 'broken'), '');
  await assert.rejects(cluster.reload(), /db pw=\*\*\* mysql:\/\/u:\*\*\*@h\/db unreachable/);
  process.kill((await cluster.pids()).workers[0] as number, 'SIGKILL');
  const { lastExit } = await until('the slot backs off', async () =>
    (await cluster.status()).processes.find(({ state }) => state === 'backoff'),
  );
  assert.match(lastExit as string, /db pw=\*\*\* mysql:\/\/u:\*\*\*@h\/db unreachable/);
  assert.doesNotMatch(cluster.output(), /hunter2/);
  rmSync(path.join(app, 'broken'));
});

test('W1: the Agent is not restarted in a storm either', async (t) => {
  const app = temporaryDirectory(t);
  writeFileSync(path.join(app, 'package.json'), '{ "name": "loop" }');
  writeFileSync(path.join(app, 'config.js'), '');
  writeFileSync(
    path.join(app, 'agent.js'),
    `const { existsSync } = require('node:fs');
     module.exports = () => { if (existsSync(__dirname + '/broken')) throw new Error('agent broken'); };`,
  );
  const cluster = await startTestCluster(t, { baseDir: app, workers: 1 });
  const { agent } = await cluster.pids();
  writeFileSync(path.join(app, 'broken'), '');
  process.kill(agent as number, 'SIGKILL');
  await until('the supervisor backs off', () => /Agent \d+ died and is replaced in \d+ ms/.test(cluster.output()));
  rmSync(path.join(app, 'broken'));
  await until('there is an Agent again', async () => (await cluster.pids()).agent !== undefined, 20_000);
});

test('W3, W6: an Agent that blocks while it boots ends the boot with code 1 and shows where', async (t) => {
  const app = temporaryDirectory(t);
  writeFileSync(path.join(app, 'package.json'), '{ "name": "blocks" }');
  writeFileSync(path.join(app, 'agent.js'), 'module.exports = function blocksAtBoot() { for (;;); };');
  const { exited, output } = launch(t, { baseDir: app, hangTimeout: 3000 });
  assert.equal(await exited, 1);
  assert.match(output(), /the Agent did not start: its event loop was blocked/);
  assert.match(output(), /at blocksAtBoot \(.*agent\.js:1/);
});

test('W6: a worker that blocks its event loop is replaced within hangTimeout, and its stack is logged', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, hangTimeout: 3000 });
  const { pid } = await ask(cluster, '/block');
  const { workers } = await cluster.pids();
  assert.ok(workers.includes(pid));
  await until('the blocked worker is gone', () => !isAlive(pid));
  await until('there are two workers', async () => (await cluster.pids()).workers.length === 2);
  await printed(cluster, /was blocked here:\n {4}at spinForEver \(.*router\.js:\d+:\d+\)/);
  await printed(cluster, /its event loop was blocked for more than 3000 ms \(hangTimeout\)/);
});

test('W6: a worker that is stopped with SIGSTOP is replaced', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, hangTimeout: 3000 });
  const [victim] = (await cluster.pids()).workers as [number];
  process.kill(victim, 'SIGSTOP');
  await until('the stopped worker is gone', () => !isAlive(victim));
  await replaced(cluster, [victim]);
});

test('W6: an Agent that blocks its event loop is replaced', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 1, hangTimeout: 3000 });
  const { agent } = await cluster.pids();
  await ask(cluster, '/tell?what=agent:block');
  await until('there is another Agent', async () => ![undefined, agent].includes((await cluster.pids()).agent));
  assert.deepEqual(await requestJson(`${cluster.url}/agent`), { agent: (await cluster.pids()).agent });
});

test('hangTimeout 0 lets a worker block', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, hangTimeout: 0, killTimeout: 500 });
  const { pid } = await ask(cluster, '/block');
  const { loopP99 } = await until('two heartbeats of the other one', async () => {
    const { processes } = await cluster.status();
    return processes.find((one) => one.kind === 'app worker' && one.pid !== pid && one.uptime > 2.5);
  });
  assert.ok(loopP99 !== undefined);
  assert.ok(isAlive(pid));
});

test('W7: a worker that threw leaves as soon as it is idle, and its hooks run', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 1 }, LOG_TO_CONSOLE);
  const begin = Date.now();
  const { pid } = await ask(cluster, '/throw');
  await until('it is gone', () => !isAlive(pid), 3000);
  assert.ok(Date.now() - begin < 3000);
  await replaced(cluster, [pid], 1);
  await printed(cluster, /app closed/);
  await printed(cluster, /worker boom/);
});

test('a second exception does not cut the answers short, nor fork twice', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 1 }, LOG_TO_CONSOLE);
  const answer = await request(`${cluster.url}/throw?twice=1&ms=700`);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.connection, 'close');
  const { pid } = JSON.parse(answer.body) as { pid: number };
  await until('it is gone', () => !isAlive(pid));
  await printed(cluster, /second boom/);
  await replaced(cluster, [pid], 1);
  await printed(cluster, /is leaving and is replaced/);
  assert.equal(cluster.output().match(/is leaving and is replaced/g)?.length, 1);
});

test('a worker whose channel to the Master closes is replaced, and does not linger', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 1, killTimeout: 500 });
  for (let round = 0; round < 2; round += 1) {
    const slow = request(`${cluster.url}/slow?ms=600`);
    const { pid } = await ask(cluster, '/disconnect');
    await replaced(cluster, [pid], 1);
    assert.equal((await slow).status, 200);
    await until('it is gone', () => !isAlive(pid));
    await printed(
      cluster,
      new RegExp(`app worker ${pid} is leaving and is replaced at once: its channel to the Master closed`),
    );
  }
});

test('an Agent whose channel to the Master closes is replaced, and does not linger', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 1 });
  const { agent } = await cluster.pids();
  await ask(cluster, '/tell?what=agent:disconnect');
  await until('there is another Agent', async () => ![undefined, agent].includes((await cluster.pids()).agent));
  await until('the old one is gone', () => !isAlive(agent as number));
  await printed(cluster, new RegExp(`Agent ${agent} (?:is leaving|died) and is replaced at once`));
});

test('a replacement knows its index and the number of workers by the names that cfork has', async (t) => {
  const app = temporaryDirectory(t);
  writeFileSync(path.join(app, 'package.json'), '{ "name": "index" }');
  writeFileSync(
    path.join(app, 'app.js'),
    `const { CFORK_WORKER_INDEX, CFORK_WORKER_COUNT } = process.env;
     console.log('%d is %s of %s', process.pid, CFORK_WORKER_INDEX, CFORK_WORKER_COUNT);`,
  );
  const cluster = await startTestCluster(t, { baseDir: app });
  const indexOf = (pid: number): string | undefined =>
    new RegExp(`^${pid} is (\\d) of 2$`, 'm').exec(cluster.output())?.[1];
  let workers = (await cluster.pids()).workers;
  // The first death is replaced by the supervisor, which loads cfork for the others.
  for (let round = 0; round < 3; round += 1) {
    const [victim] = workers as [number, number];
    const index = await until('it has told its index', () => indexOf(victim));
    process.kill(victim, 'SIGKILL');
    const survivors = workers;
    workers = await replaced(cluster, [victim]);
    const [replacement] = workers.filter((pid) => !survivors.includes(pid)) as [number];
    assert.equal(await until('it has told its index', () => indexOf(replacement)), index);
  }
});

test('an exception in the Master is logged, and it goes on supervising', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 1 });
  await cluster.throwInMaster();
  await printed(cluster, /\[master\] uncaughtException: Error: a mistake in the Master/);
  const [victim] = (await cluster.pids()).workers as [number];
  process.kill(victim, 'SIGKILL');
  await replaced(cluster, [victim], 1);
  assert.equal((await request(cluster.url)).status, 200);
  assert.equal(await cluster.stop(), 0);
});

test('NODE_DEBUG=clutch:cluster prints every change of state and why', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 1 }, { NODE_DEBUG: 'clutch:cluster' });
  const { workers } = await cluster.pids();
  const [victim] = workers as [number];
  process.kill(victim, 'SIGKILL');
  await replaced(cluster, [victim], 1);
  for (const line of [
    'Master is starting',
    'supervisor of app workers: held → released',
    `app worker ${victim} (slot 0): starting → ready`,
    'Master: starting → ready',
    `app worker ${victim} (slot 0): ready → exited`,
    `app worker ${victim} (slot 0) is replaced in 0 ms, crashed: false, attempt 0`,
  ]) {
    await until(`it prints ${line}\n${cluster.output()}`, () => cluster.output().includes(line));
  }
});

test('a worker that cannot finish is killed after killTimeout', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 1, killTimeout: 500 });
  const endless = request(`${cluster.url}/slow?ms=60000`).catch((error: NodeJS.ErrnoException) => error.code);
  const { pid } = await ask(cluster, '/throw');
  await until('it is gone', () => !isAlive(pid), 3000);
  assert.equal(await endless, 'ECONNRESET');
});

test('an exception whose code is in serverGracefulIgnoreCode is logged only', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 1 }, LOG_TO_CONSOLE);
  const { pid } = await ask(cluster, '/throw?code=EIGNORED');
  await until('it is logged', () => cluster.output().includes('worker boom'));
  assert.deepEqual((await cluster.pids()).workers, [pid]);
  assert.equal((await ask(cluster, '/')).pid, pid);
});

test('W23: unhandled rejections anywhere and exceptions in the Agent are logged, and the processes live on', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 1 }, LOG_TO_CONSOLE);
  const before = await cluster.pids();
  await ask(cluster, '/reject');
  await ask(cluster, '/tell?what=agent:reject');
  await ask(cluster, '/tell?what=agent:throw');
  for (const text of ['worker rejection', 'agent rejection', 'agent boom']) {
    await until(`${text} is logged`, () => cluster.output().includes(text));
  }
  assert.deepEqual(await requestJson(`${cluster.url}/agent`), { agent: before.agent });
  assert.deepEqual(await cluster.pids(), before);
});

for (const env of ['local', 'unittest', 'prod']) {
  test(`W20, W22: a dead worker is replaced in env ${env}`, async (t) => {
    const cluster = await startTestCluster(t, { baseDir, workers: 1, env }, { NODE_ENV: 'development' });
    const [victim] = (await cluster.pids()).workers as [number];
    await request(`${cluster.url}/exit`).catch(() => undefined);
    await replaced(cluster, [victim], 1);
    await printed(cluster, /exited with code 5/);
  });
}

test('a worker that cannot be forked is tried again with a delay, until it can', async (t) => {
  const app = temporaryDirectory(t);
  writeFileSync(path.join(app, 'package.json'), '{ "name": "full" }');
  const script = path.join(app, 'master.mjs');
  writeFileSync(
    script,
    `import { closeSync, openSync } from 'node:fs';
     import { startCluster } from ${JSON.stringify(path.join(ROOT, 'dist/cluster/index.js'))};
     const handle = await startCluster({ baseDir: ${JSON.stringify(app)}, port: 0, workers: 1 });
     const files = [];
     try { for (;;) files.push(openSync('/dev/null')); } catch { closeSync(files.pop()); }
     process.kill(handle.pids.workers[0], 'SIGKILL');
     setInterval(() => console.log(JSON.stringify(handle.status())), 100);
     process.stdin.once('data', () => { for (const file of files) closeSync(file); });
     process.stdin.once('end', () => process.kill(process.pid, 'SIGTERM'));`,
  );
  const child = spawn('/bin/sh', ['-c', 'ulimit -n 256; exec "$0" "$1"', process.execPath, script]);
  t.after(() => child.kill('SIGTERM'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  await printed({ output: () => output }, /"state":"backoff".*EMFILE/);
  assert.match(output, /an app worker could not be forked and is replaced at once: Error: spawn .* EMFILE/);
  child.stdin.write('close');
  await printed({ output: () => output }, /app worker \d+ is ready/);
  const exited = once(child, 'exit');
  child.stdin.end();
  assert.deepEqual(await exited, [0, null]);
});

test('W21, W28: after a dozen dead Agents no listener has leaked, and the Master alone logs exits', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 1 });
  for (let round = 0; round < 12; round += 1) {
    const { agent } = await cluster.pids();
    process.kill(agent as number, 'SIGKILL');
    await until('there is another Agent', async () => ![undefined, agent].includes((await cluster.pids()).agent));
  }
  const [worker] = (await cluster.pids()).workers as [number];
  process.kill(worker, 'SIGKILL');
  await replaced(cluster, [worker], 1);
  assert.doesNotMatch(cluster.output(), /MaxListeners|cfork/);
  await printed(cluster, /app worker \d+ died and is replaced at once: ended by SIGKILL/);
});

test('W24: a worker that outgrows maxMemory is replaced, the new one first', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 1, maxMemory: 250, hangTimeout: 8000 });
  const { pid } = await ask(cluster, '/grow?mib=220');
  await replaced(cluster, [pid], 1);
  await until('the old one is gone', () => !isAlive(pid));
  await printed(cluster, new RegExp(`app worker ${pid} is being replaced: it uses \\d+ MiB`));
  assert.doesNotMatch(cluster.output(), /died/);
});

test('W24: a worker that has served maxRequests is replaced', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 1, maxRequests: 5, hangTimeout: 8000 });
  const { pid } = await ask(cluster, '/');
  for (let index = 0; index < 5; index += 1) await ask(cluster, '/');
  await replaced(cluster, [pid], 1);
  await printed(cluster, /it has served \d+ requests, more than maxRequests \(\d+\)/);
});

test('W17: workers load the framework while the Agent boots, and run no code of the app before it is ready', async (t) => {
  const app = temporaryDirectory(t);
  writeFileSync(path.join(app, 'package.json'), '{ "name": "order" }');
  const loaded = path.join(app, 'loaded');
  writeFileSync(
    path.join(app, 'preload.js'),
    `if (require('node:cluster').isWorker) {
       console.log('worker preloads');
       require('node:fs').writeFileSync(${JSON.stringify(loaded)}, '');
     }`,
  );
  writeFileSync(
    path.join(app, 'agent.js'),
    `module.exports = class {
       async didLoad() {
         while (!require('node:fs').existsSync(${JSON.stringify(loaded)})) await new Promise((done) => setTimeout(done, 5));
         console.log('agent is ready');
       }
     };`,
  );
  writeFileSync(path.join(app, 'app.js'), `console.log('app code runs');`);
  const cluster = await startTestCluster(t, { baseDir: app, workers: 1, require: './preload.js' });
  const [preload, agent, code] = ['worker preloads', 'agent is ready', 'app code runs'].map((text) =>
    cluster.output().indexOf(text),
  ) as [number, number, number];
  assert.ok(preload >= 0 && preload < agent && agent < code, cluster.output());
});
