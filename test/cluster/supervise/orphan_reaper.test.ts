import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  isAlive,
  launch,
  type RunningCluster,
  startTestCluster,
  temporaryDirectory,
  until,
} from '../../support/apps.js';

/** Blocks the event loop for good, once its pid can be read. */
const BLOCK = `
function block() {
  require('node:fs').writeFileSync(__dirname + '/blocked/' + process.pid, '');
  for (;;);
}
function blockIfAsked() {
  if (require('node:fs').existsSync(__dirname + '/block')) block();
}
`;

function writeApp(t: TestContext, files: Record<string, string>): string {
  const dir = temporaryDirectory(t);
  mkdirSync(path.join(dir, 'blocked'));
  writeFileSync(path.join(dir, 'package.json'), '{ "name": "blocks" }');
  for (const [file, source] of Object.entries(files)) writeFileSync(path.join(dir, file), BLOCK + source);
  return dir;
}

interface Entry {
  pid: number;
  parent: number;
  command: string;
}

function processes(): Entry[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return [{ pid: Number(name), parent: Number(parent), command: readFileSync(`/proc/${name}/cmdline`, 'utf8') }];
    } catch {
      return [];
    }
  });
}

function childrenOf(pid: number | undefined): Entry[] {
  return processes().filter(({ parent }) => parent === pid);
}

function reaperOf(master: number | undefined): Entry | undefined {
  return childrenOf(master).find(({ command }) => command.includes('clutch-orphan-reaper'));
}

const blocked = (dir: string): number[] => readdirSync(path.join(dir, 'blocked')).map(Number);

async function assertNobodyIsLeft(master: {
  kill(signal: 'SIGKILL'): boolean;
  pid?: number | undefined;
}): Promise<void> {
  const children = childrenOf(master.pid);
  assert.ok(children.length >= 2);
  master.kill('SIGKILL');
  await until(
    `nobody is left of ${children.map(({ pid }) => pid)}`,
    () => children.every(({ pid }) => !isAlive(pid)),
    8000,
  );
}

const AT_BOOT: Record<string, { files: Record<string, string>; options?: object }> = {
  'the Agent is blocked at the top of agent.js': { files: { 'agent.js': 'block();' } },
  'the Agent is blocked in a hook': {
    files: { 'agent.js': 'module.exports = class { async didLoad() { block(); } };' },
  },
  'the workers are blocked at the top of app.js': { files: { 'app.js': 'block();' } },
  'the workers are blocked in a hook': {
    files: { 'app.js': 'module.exports = class { async willReady() { block(); } };' },
  },
  'all processes are blocked in a module of option require': {
    files: { 'preload.js': 'block();' },
    options: { require: './preload.js' },
  },
  'all processes are blocked as soon as Node runs': {
    files: { 'preload.cjs': 'if (process.send) block();' },
    options: { execArgv: ['--require', './preload.cjs'] },
  },
};

for (const [moment, { files, options }] of Object.entries(AT_BOOT)) {
  test(`nobody is left when the Master is killed while ${moment}`, async (t) => {
    const dir = writeApp(t, files);
    const execArgv = ['--require', path.join(dir, 'preload.cjs')];
    const given = options && 'execArgv' in options ? { execArgv } : options;
    const { child } = launch(t, { baseDir: dir, hangTimeout: 0, ...given });
    await until('a process is blocked', () => blocked(dir).length > 0);
    await assertNobodyIsLeft(child);
  });
}

const LATER: Record<string, (cluster: RunningCluster) => Promise<unknown>> = {
  'a reload boots a blocked Agent': (cluster) => cluster.reload(),
  'a worker is added': (cluster) => cluster.scale(3),
  'a dead worker is replaced': async (cluster) => killWorker(cluster),
  'the Agent is replaced': async (cluster) => process.kill((await cluster.pids()).agent as number, 'SIGKILL'),
};

async function killWorker(cluster: RunningCluster): Promise<number> {
  const [victim] = (await cluster.pids()).workers as [number];
  process.kill(victim, 'SIGKILL');
  return victim;
}

/** An app whose processes block at boot from the moment on that `block` exists. */
const startBlockable = async (t: TestContext): Promise<{ dir: string; cluster: RunningCluster }> => {
  const dir = writeApp(t, { 'app.js': 'blockIfAsked();', 'agent.js': 'blockIfAsked();' });
  return { dir, cluster: await startTestCluster(t, { baseDir: dir, hangTimeout: 0 }) };
};

for (const [moment, begin] of Object.entries(LATER)) {
  test(`nobody is left when the Master is killed while ${moment}`, async (t) => {
    const { dir, cluster } = await startBlockable(t);
    writeFileSync(path.join(dir, 'block'), '');
    // What is begun never ends: the Master is killed meanwhile.
    begin(cluster).catch(() => undefined);
    await until('the new process is blocked', () => blocked(dir).length > 0);
    await assertNobodyIsLeft(cluster.child);
  });
}

test('nobody is left when the Master is killed while replacements of replacements boot', async (t) => {
  const { dir, cluster } = await startBlockable(t);
  // The first death loads cfork, which forks the replacements from then on.
  for (let round = 0; round < 2; round += 1) {
    const victim = await killWorker(cluster);
    await until('it is replaced', async () => {
      const { workers } = await cluster.pids();
      return workers.length === 2 && !workers.includes(victim);
    });
  }
  writeFileSync(path.join(dir, 'block'), '');
  await killWorker(cluster);
  await until('the replacement is blocked', () => blocked(dir).length > 0);
  await assertNobodyIsLeft(cluster.child);
});

test('processes that a blocked child has started end with it', async (t) => {
  const dir = writeApp(t, {
    'app.js': `require('node:child_process').spawn('/bin/sh', ['-c', 'sleep 1000 & sleep 1000'], { stdio: 'ignore' }); block();`,
  });
  const { child } = launch(t, { baseDir: dir, workers: 1, hangTimeout: 0 });
  const [worker] = (await until('the worker is blocked', () => blocked(dir)[0] && blocked(dir))) as [number];
  const started = await until('its shell has started both', () => {
    const [shell] = childrenOf(worker);
    const sleeps = childrenOf(shell?.pid);
    return shell && sleeps.length === 2 && [shell, ...sleeps];
  });
  await assertNobodyIsLeft(child);
  await until('they are gone as well', () => started.every(({ pid }) => !isAlive(pid)));
});

test('a worker that has become another program by execve ends with the Master, and so do its children', {
  skip: !('execve' in process) && 'needs process.execve, of Node 23.11',
}, async (t) => {
  const dir = writeApp(t, {
    'app.js': `process.execve('/bin/sh', ['sh', '-c', 'sleep 1000 & sleep 1000'], { PATH: process.env.PATH });`,
  });
  const { child } = launch(t, { baseDir: dir, workers: 1, hangTimeout: 0 });
  const started = await until('the shell has started both', () => {
    const shell = childrenOf(child.pid).find(({ command }) => command.startsWith('sh\0'));
    const sleeps = childrenOf(shell?.pid);
    return shell && sleeps.length === 2 && [shell, ...sleeps];
  });
  await assertNobodyIsLeft(child);
  await until('they are gone as well', () => started.every(({ pid }) => !isAlive(pid)));
});

test('a thread that is blocked at boot ends with the Master', async (t) => {
  const dir = writeApp(t, { 'app.js': 'block();' });
  const { child } = launch(t, { baseDir: dir, workers: 1, hangTimeout: 0, startMode: 'worker_threads', port: 0 });
  await until('the thread is blocked', () => blocked(dir).length > 0);
  assert.deepEqual(childrenOf(child.pid), []);
  child.kill('SIGKILL');
  await until('it is gone', () => !isAlive(child.pid as number));
});

test('the reaper is started again when it is killed, and knows the children that there are', async (t) => {
  const { dir, cluster } = await startBlockable(t);
  const reaper = (): Entry | undefined => reaperOf(cluster.child.pid);
  const first = reaper() as Entry;
  // One that ends at once is not started again, since it would for ever.
  await until('it has run for a while', async () =>
    (await cluster.status()).processes.every(({ uptime }) => uptime > 1.2),
  );
  process.kill(first.pid, 'SIGKILL');
  await until('there is another one', () => ![undefined, first.pid].includes(reaper()?.pid));
  writeFileSync(path.join(dir, 'block'), '');
  await killWorker(cluster);
  await until('the replacement is blocked', () => blocked(dir).length > 0);
  await assertNobodyIsLeft(cluster.child);
});

const LAST_PID = '/proc/sys/kernel/ns_last_pid';

function canChoosePids(): boolean {
  try {
    writeFileSync(LAST_PID, readFileSync(LAST_PID));
    return process.platform === 'linux';
  } catch {
    return false;
  }
}

test('a process that got the pid of a child that has ended is left alone', {
  skip: !canChoosePids() && 'needs a Linux system on which pids can be chosen',
}, async (t) => {
  const dir = temporaryDirectory(t);
  writeFileSync(path.join(dir, 'package.json'), '{ "name": "ends" }');
  const { child, pids } = await startTestCluster(t, { baseDir: dir });
  const { workers } = await pids();
  const [worker] = workers as [number];
  const reaper = reaperOf(child.pid) as Entry;
  child.kill('SIGKILL');
  // The worker closes by itself, before the reaper kills what is left.
  await until('its pid is free', () => !processes().some(({ pid }) => pid === worker));
  const other = await until('another process has its pid', () => {
    writeFileSync(LAST_PID, String(worker - 1));
    const sleeper = spawn('sleep', ['30'], { stdio: 'ignore' });
    if (sleeper.pid === worker) return sleeper;
    sleeper.kill('SIGKILL');
    return undefined;
  });
  t.after(() => other.kill('SIGKILL'));
  await until('the reaper has ended', () => !isAlive(reaper.pid));
  assert.ok(isAlive(worker));
});
