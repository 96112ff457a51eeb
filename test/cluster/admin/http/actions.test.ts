import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { FILES, startPage } from '../../../support/admin.js';
import { until } from '../../../support/apps.js';
import { request } from '../../../support/http.js';

test('reload, restart and scale do what their buttons say, and the records of deaths name who asked', async (t) => {
  const { act, view, pids } = await startPage(t);
  const first = await pids();
  const reloaded = await act('reload', {});
  assert.deepEqual([reloaded.status, JSON.parse(reloaded.body)], [200, { value: null }]);
  const second = await pids();
  assert.notEqual(second.agent, first.agent);
  assert.notEqual(second.workers[0], first.workers[0]);
  const { lastReload } = await view('now');
  assert.deepEqual([lastReload?.outcome, lastReload?.asker], ['done', 'the page at 127.0.0.1']);

  assert.equal((await act('scale', { workers: 2 })).status, 200);
  const third = await pids();
  assert.equal(third.workers.length, 2);

  assert.equal((await act('restart', { pid: third.workers[1] as number })).status, 200);
  const fourth = await pids();
  assert.equal(fourth.workers[0], third.workers[0]);
  assert.ok(!fourth.workers.includes(third.workers[1] as number));
  assert.equal(fourth.workers.length, 2);
  assert.equal((await act('restart', { pid: fourth.agent as number })).status, 200);
  const fifth = await pids();
  assert.notEqual(fifth.agent, fourth.agent);
  assert.deepEqual(fifth.workers, fourth.workers);

  const deaths = await until('all are recorded', async () => {
    const records = await view('deaths');
    return records.length === 4 && records;
  });
  const told = deaths.map(({ pid, reason, asker }) => [pid, reason, asker]);
  const asker = 'the page at 127.0.0.1';
  for (const record of [
    [first.agent, 'reload', asker],
    [first.workers[0], 'reload', asker],
    [third.workers[1], 'restart', asker],
    [fourth.agent, 'restart', asker],
  ]) {
    assert.ok(
      told.some((each) => JSON.stringify(each) === JSON.stringify(record)),
      `${JSON.stringify(record)} in ${JSON.stringify(told)}`,
    );
  }
});

test('what fails says why, and the old processes stay', async (t) => {
  const { act, pids, baseDir, view } = await startPage(t);
  const before = await pids();
  writeFileSync(path.join(baseDir, 'app.js'), "throw new Error('no database at mysql://root:hunter2@db');");
  for (const refused of [await act('reload', {}), await act('restart', { pid: before.workers[0] as number })]) {
    assert.equal(refused.status, 409);
    assert.match(JSON.parse(refused.body).error, /no database at mysql:\/\/root:\*\*\*@db/);
  }
  assert.deepEqual((await pids()).workers, before.workers);
  assert.equal((await view('now')).lastReload?.outcome, 'failed');
  const unknown = await act('restart', { pid: 1 });
  assert.deepEqual([unknown.status, /no Agent or app worker has pid 1/.test(unknown.body)], [409, true]);
  const master = await act('restart', { pid: before.master });
  assert.equal(master.status, 409);
  const job = await act('retryJob', { queue: 'mail', id: '1' });
  assert.equal(job.status, 409);
});

test('a schedule runs now, and a profile is written where the response says', async (t) => {
  const files = {
    ...FILES,
    'app/schedule/clean.js':
      "exports.schedule = { cron: '0 0 3 1 1 *', type: 'worker' }; exports.task = async () => 'x';",
    'app/schedule/bad.js':
      "exports.schedule = { interval: '10h', type: 'all' }; exports.task = async () => { throw new Error('disk full'); };",
  };
  const { act, view, pids } = await startPage(t, { files });
  const { workers } = await pids();
  const ran = await act('runSchedule', { key: 'clean' });
  assert.equal(ran.status, 200);
  await act('runSchedule', { key: 'bad' });
  const { schedules, queues } = await view('schedule');
  const clean = schedules.find(({ key }) => key === 'clean');
  assert.deepEqual([clean?.type, clean?.when, clean?.disabled], ['worker', '0 0 3 1 1 *', false]);
  assert.ok(Date.parse(String(clean?.next)) > Date.now());
  assert.deepEqual([clean?.history[0]?.ok, clean?.history[0]?.pid], [true, workers[0]]);
  const bad = schedules.find(({ key }) => key === 'bad');
  assert.deepEqual([bad?.when, bad?.history[0]?.ok, bad?.history[0]?.error], ['every 10h', false, 'disk full']);
  assert.deepEqual(queues, []);
  const missing = await act('runSchedule', { key: 'nothing' });
  assert.equal(missing.status, 409);

  const profiled = await act('profile', { pid: workers[0] as number, kind: 'cpu', seconds: 0.2 });
  assert.equal(profiled.status, 200, profiled.body);
  const { file } = (JSON.parse(profiled.body) as { value: { file: string } }).value;
  assert.ok(existsSync(file));
  assert.ok(Array.isArray((JSON.parse(readFileSync(file, 'utf8')) as { nodes: unknown[] }).nodes));
});

test('a job that has failed is in its queue with the error, and a button tries it again', async (t) => {
  const files = {
    ...FILES,
    'config/plugin.js': 'exports.jobs = true;',
    'config/config.prod.js': "exports.jobs = { engine: 'memory', attempts: 1 };",
    'app/job/mail.js': `let attempts = 0;
      exports.handle = async () => { attempts += 1; if (attempts === 1) throw new Error('no server, token=hunter2'); };`,
    'app/router.js': `module.exports = ({ router }) => {
      router.get('/', async (ctx) => { ctx.body = await ctx.jobs.mail.add({}); });
    };`,
  };
  const { act, view, url } = await startPage(t, { files });
  const queue = async () => (await view('schedule')).queues.find(({ name }) => name === 'mail');
  assert.equal((await queue())?.failed, 0);
  const { id } = JSON.parse((await request(url)).body) as { id: string };
  const failed = await until('it has failed', async () => {
    const now = await queue();
    return now?.failed === 1 && now.failedJobs[0];
  });
  assert.deepEqual([failed.id, failed.error], [id, 'no server, token=***']);
  assert.ok(Date.parse(failed.at) <= Date.now());
  const wrong = await act('retryJob', { queue: 'mail', id: '4711' });
  assert.equal(wrong.status, 409);
  const retried = await act('retryJob', { queue: 'mail', id });
  assert.equal(retried.status, 200, retried.body);
  await until('it has succeeded', async () => {
    const now = await queue();
    return now?.failed === 0 && now.waiting === 0 && now.active === 0;
  });
});
