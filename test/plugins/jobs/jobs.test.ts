import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { type Application, type JobQueue, start } from 'koa-clutch';
import { channels } from '../../../tracing/channels.js';
import { CLI, startTestCluster, until } from '../../support/apps.js';
import { SKIP, startServer } from '../../support/fleet.js';
import { jobsApp } from '../../support/jobs.js';
import { type Files, writeApp } from '../../support/loaded_app.js';

type TestApp = Application & {
  ran: unknown[];
  jobs: Record<string, JobQueue>;
  agent: { jobs: Record<string, JobQueue> };
};

const MEMORY = { engine: 'memory' };

async function startApp(t: TestContext, files: Files, config: Record<string, unknown> = MEMORY): Promise<TestApp> {
  const baseDir = writeApp(t, jobsApp(config, { 'app.js': 'module.exports = (app) => { app.ran = []; };', ...files }));
  const app = (await start({ baseDir })) as Application as TestApp;
  t.after(() => app.close());
  return app;
}

async function clutch(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, [CLI, ...args])) };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}

test('a job is a class, a function, an object or what defineJob returns; the Agent adds jobs as well', async (t) => {
  const app = await startApp(t, {
    'app/job/class.js': `module.exports = class {
      constructor(ctx) { this.ctx = ctx; }
      handle(data) { this.ctx.app.ran.push(['class', data]); }
    };`,
    'app/job/function.js': "module.exports = async (ctx, data) => { ctx.app.ran.push(['function', data]); };",
    'app/job/object.js': "exports.handle = (ctx, data) => { ctx.app.ran.push(['object', data]); };",
    'app/job/defined.js': `const { defineJob } = require('koa-clutch');
      module.exports = defineJob({ attempts: 7 }, (ctx, data, job) => { ctx.app.ran.push(['defined', data, job.attempts]); });`,
    'agent.js':
      "module.exports = (agent) => { agent.messenger.on('egg-ready', () => agent.jobs.object.add('early')); };",
  });
  await app.jobs['class']?.add({ a: 1 });
  await app.jobs['function']?.add([2]);
  await app.jobs['defined']?.add(undefined);
  await app.agent.jobs['object']?.add('of the Agent');
  await until('all have run', () => app.ran.length === 5);
  const sorted = app.ran.map((each) => JSON.stringify(each)).sort();
  assert.deepEqual(sorted, [
    '["class",{"a":1}]',
    '["defined",null,7]',
    '["function",[2]]',
    '["object","early"]',
    '["object","of the Agent"]',
  ]);
});

test('jobs of plugins are loaded, and replaced by those of the app', async (t) => {
  const say = (what: string): string => `exports.handle = (ctx) => ctx.app.ran.push('${what}');`;
  const app = await startApp(t, {
    'config/plugin.js': `exports.jobs = true;
      exports.mailer = { enable: true, path: require('path').join(__dirname, '../lib/mailer') };`,
    'lib/mailer/package.json': '{ "name": "mailer", "eggPlugin": { "name": "mailer" } }',
    'lib/mailer/app/job/send.js': say('plugin: send'),
    'lib/mailer/app/job/check.js': say('plugin: check'),
    'app/job/check.js': say('app: check'),
  });
  await app.jobs['send']?.add(null);
  await app.jobs['check']?.add(null);
  await until('both have run', () => app.ran.length === 2);
  assert.deepEqual(app.ran.sort(), ['app: check', 'plugin: send']);
});

test('data that do not meet the schema are refused with every fault, and those kept under an older schema fail for good', async (t) => {
  const schema = `{ '~standard': { version: 1, vendor: 'test', async validate(value) {
    const issues = [];
    if (typeof value.to !== 'string') issues.push({ message: 'is no text', path: ['to'] });
    if (!(value.copies?.[0]?.n > 0)) issues.push({ message: 'is not above 0', path: ['copies', 0, { key: 'n' }] });
    return issues.length > 0 ? { issues } : { value: { ...value, met: true } };
  } } }`;
  const app = await startApp(t, {
    'app/job/mail.js': `exports.schema = ${schema}; exports.handle = (ctx, data) => { ctx.app.ran.push(data); };`,
  });
  await assert.rejects(
    app.jobs['mail']?.add({ copies: [{ n: 0 }] }) as Promise<unknown>,
    (error: Error & { errors: unknown }) => {
      assert.match(
        error.message,
        /^ERR_CLUTCH_CONTRACT: data of job mail do not meet its schema\n {2}to: is no text\n {2}copies\[0\]\.n: is not above 0\n/,
      );
      assert.deepEqual(error.errors, [
        { code: 'invalid', field: 'to', message: 'is no text' },
        { code: 'invalid', field: 'copies[0].n', message: 'is not above 0' },
      ]);
      return true;
    },
  );
  await app.jobs['mail']?.add({ to: 'a', copies: [{ n: 1 }] });
  await until('it has run', () => app.ran.length === 1);
  assert.deepEqual(app.ran, [{ to: 'a', copies: [{ n: 1 }], met: true }]);
  await assert.rejects(
    app.jobs['mail']?.add({ to: 'a', copies: [{ n: 1n }] }) as Promise<unknown>,
    /cannot be written as JSON/,
  );
  await assert.rejects(
    app.jobs['mail']?.add({ to: 'a'.repeat(600 * 1024), copies: [{ n: 1 }] }) as Promise<unknown>,
    /larger than 512 KiB/,
  );
  await assert.rejects(
    app.jobs['mail']?.add({ to: 'a', copies: [{ n: 1 }] }, { delay: 'soon' }) as Promise<unknown>,
    /"soon" is not a time/,
  );
  await assert.rejects(app.runJob('mail', { to: 1 }), { code: 'ERR_CLUTCH_CONTRACT' });
  await assert.rejects(app.runJob('mial'), /there is no job mial[\s\S]*There are: mail\./);
});

test('what cannot work stops the boot, with the way out', async (t) => {
  const job = { 'app/job/a.js': 'exports.handle = () => {};' };
  const cases: [Record<string, unknown>, Files, RegExp][] = [
    [{ engine: 'rabbit' }, job, /config\.jobs\.engine is "rabbit"\n.*redis, nats, sqlite, memory/],
    [{ engine: 'memory', concurrency: 0 }, job, /config\.jobs\.concurrency is 0/],
    [{ engine: 'memory', lease: 10 }, job, /config\.jobs\.lease is 10\n.*at least one second/],
    [MEMORY, { 'app/job/a.js': 'exports.options = {};' }, /a\.js\n.*Export a class with handle/],
    [
      MEMORY,
      { 'app/job/a.js': "exports.handle = () => {}; exports.schema = { type: 'object' };" },
      /no Standard Schema/,
    ],
    [
      MEMORY,
      { 'app/job/a.js': 'exports.handle = () => {}; exports.options = { backoff: { jitter: 2 } };' },
      /jitter is 2/,
    ],
    [
      MEMORY,
      { 'app/job/a.js': "exports.handle = () => {}; exports.options = { timeout: 'long' };" },
      /"long" is not a time/,
    ],
  ];
  for (const [config, files, message] of cases) {
    await assert.rejects(start({ baseDir: writeApp(t, jobsApp(config, files)) }), message);
  }
});

test('app/job without the plugin is warned about', async (t) => {
  const baseDir = writeApp(t, {
    'config/config.default.js':
      "exports.keys = 'k'; exports.logger = { dir: require('path').join(__dirname, '../logs') };",
    'app/job/a.js': 'exports.handle = () => {};',
  });
  const app = await start({ baseDir });
  t.after(() => app.close());
  const log = path.join(baseDir, 'logs/egg-agent.log');
  await until(
    'it is logged',
    () => existsSync(log) && /app\/job is not loaded: plugin "jobs" is off/.test(readFileSync(log, 'utf8')),
  );
});

test('clutch:job reports each addition and each run, and its carrier travels with the job', async (t) => {
  const events: string[] = [];
  const subscribers = {
    start(payload: { phase: string; queue: string; attempt: number; carrier: Record<string, string> }) {
      if (payload.phase === 'add') payload.carrier['traceparent'] = '00-abc-def-01';
      events.push(`${payload.phase} ${payload.queue} ${payload.attempt} ${payload.carrier['traceparent']}`);
    },
  };
  channels.job.start.subscribe(subscribers.start as never);
  t.after(() => channels.job.start.unsubscribe(subscribers.start as never));
  const app = await startApp(t, { 'app/job/a.js': 'exports.handle = (ctx) => ctx.app.ran.push(1);' });
  await app.jobs['a']?.add(null);
  await until('it has run', () => app.ran.length === 1);
  assert.deepEqual(events, ['add a 0 00-abc-def-01', 'run a 1 00-abc-def-01']);
});

test('clutch jobs lists, retries, pauses and resumes those of a running app', async (t) => {
  const running: { stop?: () => Promise<unknown> } = {};
  t.after(() => running.stop?.());
  const baseDir = writeApp(
    t,
    jobsApp(MEMORY, {
      'app/job/email/welcome.js': `exports.options = { attempts: 1 };
        exports.handle = () => { throw new Error('no server for mail'); };`,
      'app/router.js':
        "module.exports = (app) => { app.get('/add', async (ctx) => { ctx.body = await ctx.jobs.email.welcome.add(1); }); };",
    }),
  );
  const cluster = await startTestCluster(t, { baseDir, workers: 1 });
  running.stop = () => cluster.stop();
  const { id } = (await (await fetch(`${cluster.url}/add`)).json()) as { id: string };
  const listed = await until('it has failed', async () => {
    const { stdout } = await clutch('jobs', baseDir);
    return /no server for mail/.test(stdout) && stdout;
  });
  const [head, row, , failedHead, failedRow] = listed.split('\n').map((line) => line.split(/ {2,}/));
  assert.deepEqual(head, ['name', 'waiting', 'active', 'delayed', 'failed', 'completed']);
  assert.deepEqual(row, ['email/welcome', '0', '0', '0', '1', '0']);
  assert.deepEqual(failedHead, ['failed', 'name', 'at', 'attempts', 'error']);
  assert.deepEqual(
    [failedRow?.[0], failedRow?.[1], failedRow?.[3], failedRow?.[4]],
    [id, 'email/welcome', '1', 'no server for mail'],
  );
  assert.match(
    (await clutch('jobs', 'pause', 'email/welcome', baseDir)).stdout,
    /^email\/welcome is paused on all machines: 0 waiting, 0 running$/m,
  );
  assert.match((await clutch('jobs', 'retry', id, baseDir)).stdout, new RegExp(`email/welcome ${id} runs again`));
  const [report] = JSON.parse((await clutch('jobs', 'list', '--json', baseDir)).stdout) as object[];
  assert.deepEqual(report, {
    name: 'email/welcome',
    paused: true,
    waiting: 1,
    delayed: 0,
    active: 0,
    completed: 0,
    failed: 0,
    failedJobs: [],
  });
  // In the app's directory: a name with a slash is not taken for a directory.
  const resumed = await promisify(execFile)(process.execPath, [CLI, 'jobs', 'resume', 'email/welcome'], {
    cwd: baseDir,
  });
  assert.match(resumed.stdout, /^email\/welcome is resumed on all machines: /);
  const unknown = await clutch('jobs', 'pause', 'email/wellcome', baseDir);
  assert.notEqual(unknown.code, 0);
  assert.match(unknown.stderr, /there is no job email\/wellcome[\s\S]*There are: email\/welcome/);
  assert.match((await clutch('jobs', 'retry', baseDir)).stderr, /the id is missing|not running|no failed job/i);
});

test('with plugin fleet, jobs are on its server', { skip: SKIP.redis }, async (t) => {
  const running: { app?: TestApp } = {};
  t.after(() => running.app?.close());
  const { url } = await startServer(t, 'redis');
  const baseDir = writeApp(t, {
    'config/plugin.js': 'exports.jobs = true; exports.fleet = true;',
    'config/config.default.js': `exports.keys = 'k'; exports.fleet = { adapter: 'redis', url: '${url}', name: 'shop' };`,
    'app/job/a.js': 'exports.handle = () => {};',
  });
  running.app = (await start({ baseDir })) as Application as TestApp;
  const added = await running.app.jobs['a']?.add(null, { delay: '1h' });
  const redis = new Redis(url);
  const exists = await redis.exists(`{clutch:shop}:jobs:a:${added?.id}`);
  redis.disconnect();
  assert.equal(exists, 1);
});
