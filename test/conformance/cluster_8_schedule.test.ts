import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { type RunningCluster, startTestCluster, until } from '../support/apps.js';
import { request, startLoad } from '../support/http.js';
import { type Files, writeApp } from '../support/loaded_app.js';

const NOTE = `
  const file = require('path').join(__dirname, 'notes.txt');
  module.exports = (what) => require('fs').appendFileSync(file, what + ' ' + process.pid + '\\n');`;

interface Noting {
  baseDir: string;
  cluster: RunningCluster;
  /** Pids of the processes that have noted this, in order. */
  pids(what: string): number[];
}

/** A cluster whose schedules call `note(what)`. */
async function startNoting(t: TestContext, schedules: Files, files: Files = {}): Promise<Noting> {
  let cluster: RunningCluster | undefined;
  // Before the directory is removed: hooks run in the order in which they are registered.
  t.after(() => cluster?.stop());
  const baseDir = writeApp(t, { 'note.js': NOTE, ...files, ...inDirectory(schedules) });
  cluster = await startTestCluster(t, { baseDir });
  const notes = path.join(baseDir, 'notes.txt');
  const lines = (): string[][] =>
    existsSync(notes)
      ? readFileSync(notes, 'utf8')
          .trim()
          .split('\n')
          .map((line) => line.split(' '))
      : [];
  const pids = (what: string) => lines().flatMap(([name, pid]) => (name === what ? [Number(pid)] : []));
  return { baseDir, cluster, pids };
}

const inDirectory = (schedules: Files): Files =>
  Object.fromEntries(
    Object.entries(schedules).map(([name, text]) => [
      `app/schedule/${name}.js`,
      `const note = require('../../note'); ${text}`,
    ]),
  );

test('schedules of a cluster', async (t) => {
  const { cluster, pids } = await startNoting(
    t,
    {
      one: "exports.schedule = { type: 'worker', immediate: true }; exports.task = () => note('one');",
      all: "exports.schedule = { type: 'all', immediate: true }; exports.task = () => note('all');",
      often: "exports.schedule = { type: 'worker', interval: 200 }; exports.task = () => note('often');",
      cron: "exports.schedule = { type: 'worker', cron: '* * * * * *' }; exports.task = () => note('cron');",
      off: "exports.schedule = { type: 'worker', immediate: true, disable: true }; exports.task = () => note('off');",
      env: "exports.schedule = { type: 'worker', immediate: true, env: ['sit'] }; exports.task = () => note('env');",
      own: "exports.schedule = { type: 'own' }; exports.task = (ctx, ...args) => note(args.join('+'));",
      long: `exports.schedule = { type: 'worker', interval: 200 };
        exports.task = async () => { note('begun'); await new Promise((done) => setTimeout(done, 700)); note('ended'); };`,
    },
    {
      'agent.js': `module.exports = (agent) => {
        agent.schedule.use('own', class extends agent.ScheduleStrategy { start() { this.sendOne('a', 'b'); } }); };`,
    },
  );
  const { agent, workers } = await cluster.pids();

  await t.test('cluster 8.71 worker, all, interval, cron, immediate, disable and env', async () => {
    await until('all have run', () => ['one', 'often', 'cron'].every((each) => pids(each).length > 0));
    await until('all runs on both', () => pids('all').length === 2);
    assert.deepEqual(pids('all').sort(), workers.toSorted());
    assert.equal(pids('one').length, 1);
    await until('often has run again', () => pids('often').length > 2);
    assert.deepEqual([...pids('off'), ...pids('env')], []);
  });

  await t.test('cluster 8.72 a strategy of its own sends arguments to one worker', async () => {
    await until('it has run', () => pids('a+b').length > 0);
    assert.equal(pids('a+b').length, 1);
  });

  await t.test('cluster 8.74 a run that is due while the last one runs is skipped', async () => {
    await until('two have ended', () => pids('ended').length >= 2);
    assert.ok(pids('begun').length - pids('ended').length <= 1);
  });

  await t.test('cluster 8.73 immediate does not run again when the Agent restarts', async () => {
    process.kill(agent as number, 'SIGKILL');
    await until('there is another Agent', async () => ![undefined, agent].includes((await cluster.pids()).agent));
    const before = pids('often').length;
    await until('schedules run again', () => pids('often').length > before + 1);
    assert.equal(pids('one').length, 1);
    assert.equal(pids('all').length, 2);
  });
});

const ROUTER = (text: string): string => `module.exports = (app) => app.get('/', (ctx) => { ctx.body = '${text}'; });`;

test('cluster 8.75 files under app/ that change together cause one reload in local, those of app/public none', async (t) => {
  const baseDir = writeApp(t, { 'app/router.js': ROUTER('one'), 'app/public/a.txt': 'a' });
  const cluster = await startTestCluster(
    t,
    { baseDir, workers: 1 },
    { EGG_SERVER_ENV: 'local', NODE_ENV: 'development' },
  );
  const reloads = (): number => cluster.output().match(/ reloaded \(\d+ ms\)/g)?.length ?? 0;
  writeFileSync(path.join(baseDir, 'app/public/a.txt'), 'b');
  mkdirSync(path.join(baseDir, 'app/service'));
  for (let index = 0; index < 5; index += 1) writeFileSync(path.join(baseDir, 'app/router.js'), ROUTER('two'));
  writeFileSync(path.join(baseDir, 'app/service/user.js'), 'module.exports = class {};');
  await until('it has reloaded', () => reloads() > 0, 30_000);
  assert.equal((await request(cluster.url)).body, 'two');
  appendFileSync(path.join(baseDir, 'app/router.js'), '\n');
  await until('the next change reloads', () => reloads() > 1, 30_000);
  assert.equal(reloads(), 2);
});

test('cluster 8.76 a reload under load fails no request, with one worker and with two', async (t) => {
  for (const workers of [1, 2]) {
    const cluster = await startTestCluster(t, { baseDir: writeApp(t, { 'app/router.js': ROUTER('served') }), workers });
    const load = startLoad(t, cluster.url);
    await until('it is loaded', () => load.counts.ok > 10);
    await cluster.reload();
    const { ok } = load.counts;
    await until('the new ones serve', () => load.counts.ok > ok);
    assert.deepEqual((await load.stop()).failed, []);
    await cluster.stop();
  }
});

test('cluster 8.93 rotated logs have their new names, and lines after it are in new files of all processes', async (t) => {
  const { baseDir, cluster, pids } = await startNoting(
    t,
    { done: "exports.schedule = { type: 'worker', immediate: true }; exports.task = () => note('done');" },
    {
      'config/config.default.js': `const dir = require('path').join(__dirname, '../logs');
        exports.logger = { dir }; exports.logrotator = { maxFileSize: 1, rotateDuration: 300,
          filesRotateBySize: [require('path').join(dir, 'demo-web.log')] };`,
      'app/router.js':
        "module.exports = (app) => app.get('/', (ctx) => { ctx.logger.info(ctx.query.line); ctx.body = ''; });",
    },
  );
  await until('schedules run', () => pids('done').length > 0);
  await request(`${cluster.url}/?line=before`);
  const log = path.join(baseDir, 'logs/demo-web.log');
  await until('it is rotated', () => existsSync(`${log}.1`) && /before/.test(readFileSync(`${log}.1`, 'utf8')));
  for (let index = 0; index < 8; index += 1) await request(`${cluster.url}/?line=after`);
  await until('lines are in the new file', () =>
    [log, `${log}.1`].some((file) => existsSync(file) && /after/.test(readFileSync(file, 'utf8'))),
  );
});
