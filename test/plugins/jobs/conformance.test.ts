import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Application, Context, Job, JobInfo, JobQueue } from 'koa-clutch';
import { start } from 'koa-clutch';
import type { JobsCommand, QueueReport } from '../../../plugins/jobs/lib/agent/wire.js';
import { until } from '../../support/apps.js';
import type { TestServer } from '../../support/fleet.js';
import { ENGINES, type Engine, engineConfig, jobsApp, skipOf } from '../../support/jobs.js';
import { type Files, writeApp } from '../../support/loaded_app.js';

type Handler = (data: { [key: string]: unknown }, job: Job, ctx: Context) => unknown;
type TestApp = Application & {
  handlers: Record<string, Handler>;
  jobs: { work: JobQueue; single: JobQueue; limited: JobQueue; email: { welcomeMail: JobQueue } };
};

const FILES: Files = {
  'app.js': 'module.exports = (app) => { app.handlers = {}; };',
  'app/service/greeting.js': "module.exports = class { of(name) { return 'hello ' + name; } };",
  // What a job does is for each test to say.
  'app/job/work.js': 'module.exports = (ctx, data, job) => ctx.app.handlers[data.do](data, job, ctx);',
  'app/job/single.js': `exports.options = { concurrency: 1, attempts: 1 };
    exports.handle = (ctx, data, job) => ctx.app.handlers[data.do](data, job, ctx);`,
  'app/job/limited.js': `exports.options = { timeout: '100ms', attempts: 1 };
    exports.handle = (ctx, data, job) => ctx.app.handlers[data.do](data, job, ctx);`,
  'app/job/email/welcome_mail.js': `module.exports = class {
    constructor(ctx) { this.ctx = ctx; }
    async handle({ name }, job) {
      this.ctx.logger.info('greets %s', name);
      return { text: this.ctx.service.greeting.of(name), attempt: job.attempt };
    }
  };`,
};

interface Started {
  app: TestApp;
  baseDir: string;
  startAgain(): Promise<TestApp>;
  server: TestServer | undefined;
}

async function startOn(t: TestContext, engine: Engine, more: Record<string, unknown> = {}): Promise<Started> {
  const apps: TestApp[] = [];
  // Before the server is stopped: hooks run in the order in which they are registered.
  t.after(() => Promise.all(apps.map((app) => app.close())));
  const { config, server } = await engineConfig(t, engine);
  const baseDir = writeApp(t, jobsApp({ ...config, ...more }, FILES));
  const startAgain = async (): Promise<TestApp> => {
    const app = (await start({ baseDir })) as Application as TestApp;
    apps.push(app);
    return app;
  };
  return { app: await startAgain(), baseDir, startAgain, server };
}

function ask<T>(app: TestApp, command: JobsCommand): Promise<T> {
  return app.messenger.request('agent', 'clutch-jobs', command) as Promise<T>;
}

async function reportOf(app: TestApp, name: string): Promise<QueueReport> {
  const reports = await ask<QueueReport[]>(app, { command: 'list' });
  return reports.find((each) => each.name === name) as QueueReport;
}

function ended(queue: JobQueue, id: string): Promise<JobInfo> {
  return until(`job ${id} has ended`, async () => {
    const job = await queue.get(id);
    return (job?.state === 'completed' || job?.state === 'failed') && job;
  });
}

/** A promise that a handler waits for, and the function that fulfils it. */
function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

for (const engine of ENGINES) {
  const testOn = (name: string, run: (t: TestContext) => Promise<void>): void => {
    test(`${engine}: ${name}`, { skip: skipOf(engine) }, run);
  };

  testOn('a job runs with a context of its own, and its result is kept', async (t) => {
    const { app, baseDir } = await startOn(t, engine);
    const { id, added } = await app.jobs.email.welcomeMail.add({ name: 'Ada' });
    assert.equal(added, true);
    const job = await ended(app.jobs.email.welcomeMail, id);
    assert.deepEqual(
      { ...job, addedAt: 0, startedAt: 0, endedAt: 0 },
      {
        id,
        state: 'completed',
        data: { name: 'Ada' },
        failures: 0,
        attempts: 3,
        addedAt: 0,
        startedAt: 0,
        endedAt: 0,
        result: { text: 'hello Ada', attempt: 1 },
      },
    );
    const file = path.join(baseDir, 'logs/demo-web.log');
    await until('it is logged', () => existsSync(file) && /greets Ada/.test(readFileSync(file, 'utf8')));
    assert.match(
      readFileSync(file, 'utf8'),
      new RegExp(`JOB /__job/email/welcome_mail\\?id=${id}&attempt=1\\] .*greets Ada`),
    );
  });

  testOn('a key is added once, while its job waits, runs and is kept', async (t) => {
    const { app } = await startOn(t, engine);
    const { opened, open } = gate();
    let runs = 0;
    app.handlers['wait'] = async () => {
      runs += 1;
      await opened;
    };
    const key = 'order/7: "ü"';
    const add = () => app.jobs.work.add({ do: 'wait' }, { key, delay: 300 });
    const first = await add();
    assert.equal(first.added, true);
    const again = { id: first.id, added: false };
    assert.deepEqual(await add(), again, 'while it is delayed');
    await until('it runs', () => runs === 1);
    assert.deepEqual(await add(), again, 'while it runs');
    open();
    const job = await ended(app.jobs.work, first.id);
    assert.equal(job.key, key);
    assert.deepEqual(await add(), again, 'while it is kept');
    assert.equal(runs, 1);
  });

  testOn('a job that fails is tried again, later each time', async (t) => {
    const { app } = await startOn(t, engine);
    const times: number[] = [];
    app.handlers['fail'] = (_, { attempt, attempts }) => {
      assert.equal(attempts, 4);
      assert.equal(attempt, times.push(performance.now()));
      if (attempt < 4) throw new TypeError(`attempt ${attempt} fails`);
      return 'at last';
    };
    const backoff = { delay: 100, jitter: 0 };
    const { id } = await app.jobs.work.add({ do: 'fail' }, { attempts: 4, backoff });
    const job = await ended(app.jobs.work, id);
    assert.equal(job.state, 'completed');
    assert.equal(job.result, 'at last');
    const gaps = times.slice(1).map((time, index) => time - (times[index] as number));
    assert.equal(gaps.length, 3);
    for (const [index, least] of [100, 200, 400].entries())
      assert.ok((gaps[index] as number) >= least - 5, gaps.join());
  });

  testOn('a job that has failed for good is kept, listed, and run again when one asks for it', async (t) => {
    const { app } = await startOn(t, engine);
    let isFixed = false;
    app.handlers['fail'] = () => {
      if (!isFixed) throw new RangeError('no such user, password=hunter2');
      return 'fixed';
    };
    const { id } = await app.jobs.work.add({ do: 'fail' }, { attempts: 2, backoff: 10, key: 'user 3' });
    const job = await ended(app.jobs.work, id);
    assert.equal(job.state, 'failed');
    assert.equal(job.failures, 2);
    assert.equal(job.error?.name, 'RangeError');
    assert.match(job.error?.message ?? '', /no such user/);
    assert.match(job.error?.stack ?? '', /RangeError: [\s\S]* at /);
    const report = await until('it is listed', async () => {
      const found = await reportOf(app, 'work');
      return found.failed === 1 && found;
    });
    const [failedJob] = report.failedJobs;
    assert.equal(failedJob?.id, id);
    assert.equal(failedJob?.key, 'user 3');
    assert.match(failedJob?.error ?? '', /no such user/);
    isFixed = true;
    assert.deepEqual(await ask(app, { command: 'retry', id }), { name: 'work', id });
    const again = await until('it has succeeded', async () => {
      const found = await app.jobs.work.get(id);
      return found?.state === 'completed' && found;
    });
    assert.equal(again.result, 'fixed');
    assert.equal(again.failures, 0);
    await assert.rejects(ask(app, { command: 'retry', id }), /there is no failed job/);
    // An error can say that there is no point in another attempt.
    app.handlers['refuse'] = () => {
      throw Object.assign(new Error('gone'), { retry: false });
    };
    const refused = await ended(app.jobs.work, (await app.jobs.work.add({ do: 'refuse' })).id);
    assert.deepEqual([refused.state, refused.failures], ['failed', 1]);
  });

  testOn('a delayed job does not run before its time, and keeps nobody from theirs', async (t) => {
    const { app } = await startOn(t, engine);
    const ran: unknown[] = [];
    app.handlers['note'] = ({ name }) => void ran.push(name);
    const tomorrow = await app.jobs.work.add({ do: 'note', name: 'tomorrow' }, { delay: '1d' });
    assert.equal((await app.jobs.work.get(tomorrow.id))?.state, 'delayed');
    const begin = performance.now();
    const later = await app.jobs.work.add({ do: 'note', name: 'later' }, { delay: 500 });
    const now = await app.jobs.work.add({ do: 'note', name: 'now' });
    await ended(app.jobs.work, now.id);
    await ended(app.jobs.work, later.id);
    assert.ok(performance.now() - begin >= 495);
    assert.deepEqual(ran.toSorted(), ['later', 'now']);
  });

  testOn('progress is kept while a job runs; a time limit aborts its signal and fails it', async (t) => {
    const { app } = await startOn(t, engine);
    const { opened, open } = gate();
    app.handlers['report'] = async (_, job) => {
      await job.progress(40);
      await opened;
    };
    const { id } = await app.jobs.work.add({ do: 'report' });
    await until('progress is seen', async () => (await app.jobs.work.get(id))?.progress === 40);
    assert.equal((await app.jobs.work.get(id))?.state, 'active');
    open();
    await ended(app.jobs.work, id);
    let reason: unknown;
    app.handlers['hang'] = async (_, { signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      reason = signal.reason;
    };
    const late = await ended(app.jobs.limited, (await app.jobs.limited.add({ do: 'hang' })).id);
    assert.equal(late.state, 'failed');
    assert.equal(late.error?.message, 'the job has not ended after 100 ms');
    await until('the signal is aborted', () => reason instanceof Error);
  });

  testOn('a paused queue gives no job until it is resumed', async (t) => {
    const { app } = await startOn(t, engine);
    let runs = 0;
    app.handlers['count'] = () => void (runs += 1);
    const paused = await ask<QueueReport>(app, { command: 'pause', queue: 'work' });
    assert.equal(paused.paused, true);
    const { id } = await app.jobs.work.add({ do: 'count' });
    // Another queue goes on meanwhile.
    await ended(app.jobs.single, (await app.jobs.single.add({ do: 'count' })).id);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(runs, 1);
    // Counts of NATS may be a second old.
    await until('it waits', async () => (await reportOf(app, 'work')).waiting === 1);
    assert.equal((await ask<QueueReport>(app, { command: 'resume', queue: 'work' })).paused, false);
    await ended(app.jobs.work, id);
    assert.equal(runs, 2);
    await assert.rejects(
      ask(app, { command: 'pause', queue: 'wrok' }),
      /There are: email\/welcome_mail, limited, single, work/,
    );
  });

  testOn('a worker runs as many jobs at a time as config and file say', async (t) => {
    const { app } = await startOn(t, engine, { concurrency: 3 });
    const most = new Map<string, number>();
    const running = new Map<string, number>();
    app.handlers['overlap'] = async (_, { name }) => {
      running.set(name, (running.get(name) ?? 0) + 1);
      most.set(name, Math.max(most.get(name) ?? 0, running.get(name) as number));
      const all = [...running.values()].reduce((sum, each) => sum + each, 0);
      most.set('all', Math.max(most.get('all') ?? 0, all));
      await new Promise((resolve) => setTimeout(resolve, 40));
      running.set(name, (running.get(name) as number) - 1);
    };
    const added = await Promise.all(
      Array.from({ length: 16 }, async (_, index) => {
        const queue = index % 2 ? app.jobs.work : app.jobs.single;
        return { queue, ...(await queue.add({ do: 'overlap' })) };
      }),
    );
    for (const { queue, id } of added) await ended(queue, id);
    assert.equal(most.get('single'), 1);
    assert.equal(most.get('all'), 3);
  });

  testOn('of the jobs that have ended, the last ones are kept', async (t) => {
    const { app } = await startOn(t, engine, { keep: { completed: 2, failed: 3 } });
    app.handlers['end'] = ({ fails }) => {
      if (fails) throw new Error('fails');
    };
    const ids: string[] = [];
    for (let index = 0; index < 10; index++) {
      const { id } = await app.jobs.single.add({ do: 'end', fails: index % 2 === 0 });
      await ended(app.jobs.single, id);
      ids.push(id);
    }
    // NATS removes them within a lease.
    const report = await until('the others are gone', async () => {
      const found = await reportOf(app, 'single');
      return found.completed === 2 && found.failed === 3 && found;
    });
    assert.deepEqual(
      report.failedJobs.map(({ id }) => id),
      [ids[8], ids[6], ids[4]],
    );
    assert.equal(await app.jobs.single.get(ids[0] as string), undefined);
    assert.equal(await app.jobs.single.get('*'), undefined);
    assert.equal(await app.jobs.single.get('meta'), undefined);
  });

  if (engine === 'memory') continue;

  testOn('what waits or is under way when the app stops runs after its next start', async (t) => {
    const { app, startAgain } = await startOn(t, engine);
    const first = gate();
    app.handlers['hang'] = () => {
      first.open();
      return new Promise(() => undefined);
    };
    const { id } = await app.jobs.single.add({ do: 'hang' });
    const waiting = await app.jobs.single.add({ do: 'hang' });
    const delayed = await app.jobs.work.add({ do: 'hang' }, { delay: 1500 });
    await first.opened;
    await app.close();
    const next = await startAgain();
    next.handlers['hang'] = (_, { attempt }) => `attempt ${attempt}`;
    for (const each of [id, waiting.id]) {
      // Given back: it is the same attempt.
      assert.equal((await ended(next.jobs.single, each)).result, 'attempt 1');
    }
    assert.equal((await ended(next.jobs.work, delayed.id)).result, 'attempt 1');
  });

  if (engine === 'sqlite') continue;

  testOn('the app goes on without the server, and with it when it is back', async (t) => {
    const { app, server, startAgain } = await startOn(t, engine);
    app.handlers['end'] = () => 'ended';
    await server?.stop();
    await assert.rejects(app.jobs.work.add({ do: 'end' }), (error: NodeJS.ErrnoException) => {
      assert.match(String(error.code), /^ERR_CLUTCH_(?:JOBS|TIMEOUT)$/);
      assert.match(error.message, /(?:Redis|NATS)[\s\S]*config\.jobs\.url is .*\n +\w/);
      return true;
    });
    await app.close();
    const next = await startAgain();
    next.handlers['end'] = () => 'ended';
    await server?.start();
    const { id } = await until('it can be added to again', () =>
      next.jobs.work.add({ do: 'end' }).catch(() => undefined),
    );
    assert.equal((await ended(next.jobs.work, id)).result, 'ended');
  });
}
