import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { CLI, type RunningCluster, startTestCluster, temporaryDirectory, until } from '../../support/apps.js';
import { requestJson } from '../../support/http.js';
import { ENGINES, type Engine, engineConfig, jobsApp, skipOf } from '../../support/jobs.js';
import { writeApp } from '../../support/loaded_app.js';

interface Note {
  what: 'begin' | 'end';
  name: string;
  pid: number;
  attempt: number;
}

interface Machine {
  cluster: RunningCluster;
  baseDir: string;
  log(): string;
}

interface Machines {
  machines: Machine[];
  notes(what: Note['what'], name?: string): Note[];
  /** Lets jobs end that wait for it. */
  open(): Promise<void>;
  add(data: { name: string; waits?: boolean; delay?: number }, machine?: number): Promise<{ id: string }>;
}

/** Starts clusters whose job notes its beginnings and ends in one file, and may wait for another one. */
async function startMachines(
  t: TestContext,
  engine: Engine,
  {
    count = 1,
    config = {},
    ...options
  }: { count?: number; config?: Record<string, unknown>; killTimeout?: number } = {},
): Promise<Machines> {
  const clusters: RunningCluster[] = [];
  // Before directories are removed and the server is stopped: hooks run in the order in which they are registered.
  t.after(() => Promise.all(clusters.map((cluster) => cluster.stop())));
  const shared = temporaryDirectory(t);
  const file = path.join(shared, 'notes.txt');
  const { config: engineOptions } = await engineConfig(t, engine);
  const machines: Machine[] = [];
  for (let index = 0; index < count; index++) {
    const baseDir = writeApp(
      t,
      jobsApp(
        { ...engineOptions, ...config },
        {
          'app/job/work.js': `
            const fs = require('fs');
            exports.options = { attempts: 2, backoff: 100 };
            exports.handle = async (ctx, { name, waits }, { attempt, signal }) => {
              const note = (what) =>
                fs.appendFileSync('${file}', JSON.stringify({ what, name, pid: process.pid, attempt }) + '\\n');
              note('begin');
              if (name === 'poison') process.exit(1);
              while (waits && !signal.aborted && !fs.existsSync('${shared}/open')) await new Promise((r) => setTimeout(r, 20));
              if (!signal.aborted) note('end');
            };`,
          'app/router.js': `module.exports = (app) => {
            app.get('/add', async (ctx) => {
              const { name, waits, delay = '0' } = ctx.query;
              ctx.body = await ctx.jobs.work.add({ name, waits: waits === 'true' }, { delay: Number(delay), key: name });
            });
          };`,
        },
      ),
    );
    const cluster = await startTestCluster(t, { baseDir, workers: 2, ...options });
    clusters.push(cluster);
    const log = path.join(baseDir, 'logs/clutch-jobs.log');
    machines.push({ cluster, baseDir, log: () => (existsSync(log) ? readFileSync(log, 'utf8') : '') });
  }
  const read = (): Note[] =>
    (existsSync(file) ? readFileSync(file, 'utf8') : '')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Note);
  return {
    machines,
    notes: (what, name) => read().filter((note) => note.what === what && (name === undefined || note.name === name)),
    open: () => writeFile(path.join(shared, 'open'), ''),
    add: (data, machine = 0) => {
      const query = new URLSearchParams(
        Object.entries(data).map(([key, value]): [string, string] => [key, String(value)]),
      );
      return requestJson(`${(machines[machine] as Machine).cluster.url}/add?${query}`);
    },
  };
}

async function killAll({ cluster }: Machine): Promise<void> {
  const { master, agent, workers } = await cluster.pids();
  for (const pid of [master, agent as number, ...workers]) process.kill(pid, 'SIGKILL');
}

for (const engine of ENGINES) {
  const testOn = (name: string, run: (t: TestContext) => Promise<void>): void => {
    test(`${engine}: ${name}`, { skip: skipOf(engine) }, run);
  };

  testOn('a job whose worker is killed runs again on another one, as the same attempt', async (t) => {
    const { machines, notes, open, add } = await startMachines(t, engine);
    await add({ name: 'a', waits: true });
    const [first] = await until('it has begun', () => notes('begin').length > 0 && notes('begin'));
    process.kill((first as Note).pid, 'SIGKILL');
    await until('it has begun again', () => notes('begin').length === 2);
    await open();
    const end = await until('it has ended', () => notes('end')[0]);
    assert.notEqual(end.pid, first?.pid);
    assert.equal(end.attempt, 1);
    await until('it is logged', () => /work runs again: app worker \d+ died/.test((machines[0] as Machine).log()));
  });

  testOn('jobs whose worker dies before it has replied are lost once each, however many they are', async (t) => {
    const { machines, notes, open, add } = await startMachines(t, engine);
    const names = Array.from({ length: 10 }, (_, index) => `job ${index}`);
    for (const name of names) await add({ name, waits: true, delay: 3000 });
    const [{ cluster, log }] = machines as [Machine];
    const { workers } = await cluster.pids();
    const [stopped] = workers as [number];
    process.kill(stopped, 'SIGSTOP');
    // The other half is on its way to the one that stands still.
    await until('half of them have begun', () => notes('begin').length === 5);
    process.kill(stopped, 'SIGKILL');
    await until('all have begun', () => notes('begin').length === 10);
    await open();
    await until('all have ended', () => notes('end').length === 10);
    assert.deepEqual([...new Set(notes('end').map(({ attempt }) => attempt))], [1]);
    assert.equal(log().match(/work runs again: app worker \d+ died/g)?.length, 5);
  });

  // Its jobs are in the Agent, which is replaced.
  if (engine === 'memory') continue;

  testOn('during a reload no job is lost or run twice; one that takes too long is given back', async (t) => {
    const { machines, notes, open, add } = await startMachines(t, engine, {
      killTimeout: 3000,
      config: { lease: 8000 },
    });
    await add({ name: 'long', waits: true });
    const [first] = await until('it has begun', () => notes('begin').length > 0 && notes('begin'));
    const [{ cluster, log }] = machines as [Machine];
    const names = Array.from({ length: 20 }, (_, index) => `short ${index}`);
    let isReloading = true;
    const reloaded = cluster.reload().then(() => (isReloading = false));
    for (const name of names) await add({ name, delay: 100 });
    await until('the long one begins again', () => notes('begin', 'long').length === 2, 60_000);
    await open();
    await reloaded;
    assert.equal(isReloading, false);
    const end = await until('all have ended', () => notes('end').length === 21 && notes('end', 'long')[0], 60_000);
    assert.equal(end.attempt, 1);
    assert.notEqual(end.pid, first?.pid);
    for (const name of names) assert.equal(notes('begin', name).length, 1, name);
    await until('it is logged', () => /work runs again: app worker \d+ was replaced before it ended/.test(log()));
  });

  testOn('jobs go on while the Agent is killed, and are not run twice', async (t) => {
    const { machines, notes, open, add } = await startMachines(t, engine, { config: { lease: 8000 } });
    await add({ name: 'a', waits: true });
    await until('it has begun', () => notes('begin').length > 0);
    const [{ cluster }] = machines as [Machine];
    const { agent } = await cluster.pids();
    process.kill(agent as number, 'SIGKILL');
    // Waits for the next Agent.
    await add({ name: 'b' });
    await until('jobs are run again', () => notes('end', 'b').length === 1);
    // Longer than a lease: the next Agent renews it.
    await new Promise((resolve) => setTimeout(resolve, 9000));
    assert.equal(notes('begin', 'a').length, 1);
    await open();
    await until('it has ended', () => notes('end', 'a').length === 1);
    const stdout = await until('it is completed', async () => {
      const listed = await promisify(execFile)(process.execPath, [
        CLI,
        'jobs',
        'list',
        '--json',
        (machines[0] as Machine).baseDir,
      ]);
      return /"completed": ?2/.test(listed.stdout) && listed.stdout;
    });
    assert.match(stdout, /"active": ?0/);
  });

  testOn('a job whose worker stands still runs elsewhere when its lease is over', async (t) => {
    const { machines, notes, open, add } = await startMachines(t, engine);
    await add({ name: 'a', waits: true });
    const [first] = await until('it has begun', () => notes('begin').length > 0 && notes('begin'));
    const { pid } = first as Note;
    process.kill(pid, 'SIGSTOP');
    try {
      await until('it has begun again', () => notes('begin').length === 2, 30_000);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    const [{ log }] = machines as [Machine];
    await until('the first one is refused', () => /has lost its lease|ended after its lease/.test(log()), 30_000);
    await open();
    await until('it has ended', () => notes('end').some((note) => note.pid !== pid));
  });

  if (engine === 'sqlite') continue;

  testOn('jobs of a machine that is killed run on another one', async (t) => {
    const { machines, notes, open, add } = await startMachines(t, engine, { count: 2, config: { concurrency: 1 } });
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    for (const name of names) await add({ name, waits: true });
    // Two machines with two workers each, and room for one job each.
    await until('four have begun', () => notes('begin').length === 4);
    await killAll(machines[0] as Machine);
    await open();
    await until('all have ended', () => names.every((name) => notes('end', name).length > 0), 40_000);
  });
}

test('a job that kills its workers is kept as failed', async (t) => {
  const { machines, notes, add } = await startMachines(t, 'memory');
  // Later, so that the worker that adds it can respond.
  await add({ name: 'poison', delay: 500 });
  const report = await until(
    'it has failed',
    async () => {
      const args = [CLI, 'jobs', 'list', '--json', (machines[0] as Machine).baseDir];
      const { stdout } = await promisify(execFile)(process.execPath, args);
      const [{ failed, failedJobs }] = JSON.parse(stdout) as [{ failed: number; failedJobs: { error: string }[] }];
      return failed === 1 && failedJobs;
    },
    60_000,
  );
  assert.match(report[0]?.error ?? '', /the process that ran it died 4 times/);
  assert.equal(notes('begin').length, 4);
});
