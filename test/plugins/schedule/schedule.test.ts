import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Agent, type Application, start } from 'koa-clutch';
import { until } from '../../support/apps.js';
import { type Files, loadAgent, loadApp, writeApp } from '../../support/loaded_app.js';

/** A task that notes each run in `app.ran`. */
const NOTE = '(ctx, ...args) => { (ctx.app.ran ??= []).push(args.length ? args : ctx.method); return ctx.url; }';

interface Ran {
  ran?: unknown[];
}

async function startSingle(t: TestContext, files: Files): Promise<Application & Ran & { agent: Agent }> {
  const app = await start({ baseDir: writeApp(t, files), env: 'unittest' });
  t.after(() => app.close());
  return app as Application & Ran & { agent: Agent };
}

const logOf = (app: Application): string => {
  const { dir } = app.config['logger'] as { dir: string };
  return readFileSync(path.join(dir, 'egg-schedule.log'), 'utf8');
};

test('runSchedule finds objects, classes and functions, by name, path and absolute path', async (t) => {
  const app = loadApp(t, {
    'app/schedule/object.js': `module.exports = { schedule: { type: 'worker', interval: '1h' }, task: ${NOTE} };`,
    'app/schedule/deep/class.js': `
      const { Subscription } = require('egg');
      module.exports = class Deep extends Subscription {
        static get schedule() { return { type: 'all', cron: '0 0 1 1 *' }; }
        async subscribe(...args) { return [this.ctx.method, this.app.name, ...args]; }
      };`,
    'app/schedule/function.js': `module.exports = (app) => ({ schedule: { type: 'worker', interval: 1e6 }, task: () => app.name });`,
    'extra/other.js':
      "exports.schedule = { type: 'worker', interval: '1h', disable: true }; exports.task = async () => 'other';",
    'config/config.default.js': "exports.schedule = { directory: [require('path').join(__dirname, '../extra')] };",
    'config/plugin.js': "exports.tool = { enable: true, path: require('path').join(__dirname, '../lib/tool') };",
    'lib/tool/package.json': '{ "name": "tool", "eggPlugin": { "name": "tool" } }',
    'lib/tool/app/schedule/object.js':
      "exports.schedule = { type: 'worker', interval: '1h' }; exports.task = () => 'of the plugin';",
  });
  await app.ready();
  assert.match(
    (await app.runSchedule('object')) as string,
    /^\/__schedule\?path=\/.*object\.js&type=worker&interval=1h$/,
  );
  assert.deepEqual((app as Ran).ran, ['SCHEDULE']);
  assert.deepEqual(await app.runSchedule('deep/class.js', 1, { a: 2 }), ['SCHEDULE', 'demo', 1, { a: 2 }]);
  assert.equal(await app.runSchedule(path.join(app.baseDir, 'app/schedule/function.js')), 'demo');
  assert.equal(await app.runSchedule('other'), 'other');
  assert.equal(await app.runSchedule('tool/object'), 'of the plugin');
  await assert.rejects(app.runSchedule('nothing'), /Cannot find schedule nothing\n.*tool\/object, deep\/class/);
});

test('a task has its context as currentContext', async (t) => {
  const app = loadApp(t, {
    'app/schedule/a.js':
      "exports.schedule = { type: 'worker', interval: '1h' }; exports.task = (ctx) => ctx.app.currentContext === ctx;",
  });
  await app.ready();
  assert.equal(await app.runSchedule('a'), true);
});

test('a file that is no schedule stops the boot by name, in Agent and app', async (t) => {
  for (const text of [
    'exports.schedule = {}',
    'exports.task = () => 1',
    'module.exports = class { subscribe() {} }',
    'module.exports = () => null',
  ]) {
    for (const load of [loadApp, loadAgent]) {
      const app = load(t, { 'app/schedule/bad.js': text });
      app.on('error', () => undefined);
      await assert.rejects(app.ready(), /must have "schedule" and "task" properties\n.*schedule\/bad\.js/, text);
    }
  }
});

test('an unknown type stops the boot by name', async (t) => {
  const agent = loadAgent(t, {
    'app/schedule/x.js': "exports.schedule = { type: 'cluster' }; exports.task = () => 1;",
  });
  agent.on('error', () => undefined);
  await assert.rejects(agent.ready(), /schedule type \[cluster\] is not defined\n.*schedule\/x\.js\n.*worker, all/);
});

test('disable and env keep a schedule from running, not from being run', async (t) => {
  const app = await startSingle(t, {
    'app/schedule/off.js': `exports.schedule = { type: 'nonsense', disable: true, immediate: true }; exports.task = ${NOTE};`,
    'app/schedule/prod.js': `exports.schedule = { type: 'worker', env: ['prod'], immediate: true }; exports.task = ${NOTE};`,
    'app/schedule/here.js': `exports.schedule = { type: 'worker', env: ['unittest'], immediate: true }; exports.task = ${NOTE};`,
  });
  await until('it has run', () => app.ran);
  await app.runSchedule('off', 'by hand');
  assert.deepEqual(app.ran, ['SCHEDULE', ['by hand']]);
});

test('single mode: immediate, interval and cron run, with a line and a history of each run', async (t) => {
  const app = await startSingle(t, {
    'app/schedule/now.js': `exports.schedule = { type: 'all', immediate: true }; exports.task = ${NOTE};`,
    'app/schedule/fail.js': `exports.schedule = { type: 'worker', interval: 100 }; exports.task = async () => { throw new Error('no luck'); };`,
    'app/schedule/cron.js': `exports.schedule = { type: 'worker', cron: '* * * * * *' }; exports.task = ${NOTE};`,
  });
  await until('all have run', () => (app.ran?.length ?? 0) >= 2 && /fail\.js failed/.test(logOf(app)));
  await app.close();
  const history = JSON.parse(readFileSync(path.join(app.baseDir, 'run/schedule_history.json'), 'utf8'));
  const [run] = history[path.join(app.baseDir, 'app/schedule/fail.js')];
  assert.deepEqual([run.success, run.message, run.worker], [false, 'no luck', process.pid]);
  assert.equal(history[path.join(app.baseDir, 'app/schedule/now.js')].length, 1);
  assert.match(logOf(app), /INFO \d+ \[Job#\d+\] .*now\.js succeeded in \d+ms/);
  assert.match(logOf(app), /ERROR \d+ nodejs\.Error: \[Job#\d+\] .*fail\.js failed after \d+ms: no luck/);
});

interface Slow {
  begun?: number;
  done?: boolean;
  ends: (() => void)[];
}

/** Starts a schedule of 50 ms whose task takes as long as the test wants. */
async function slow(t: TestContext, options: string): Promise<Application & Slow> {
  const app = (await startSingle(t, {
    'app/schedule/slow.js': `
      exports.schedule = { type: 'worker', interval: 50, ${options} };
      exports.task = ({ app }) => {
        app.begun = (app.begun ?? 0) + 1;
        return app.done || new Promise((resolve) => (app.ends ??= []).push(resolve));
      };`,
  })) as unknown as Application & Slow;
  return app;
}

/** Lets all runs of it end, also those to come. */
function finish(app: Slow): void {
  app.done = true;
  for (const end of app.ends) end();
}

test('overlap: a run that is due while the last one runs is skipped and logged', async (t) => {
  const app = await slow(t, '');
  await until(
    'it is skipped twice',
    () => app.begun && (logOf(app).match(/is skipped: the last run/g)?.length ?? 0) >= 2,
  );
  assert.equal(app.begun, 1);
  app.ends[0]?.();
  await until('the next one runs', () => app.begun === 2);
  finish(app);
});

test("overlap: 'queue' keeps one run that is due, 'allow' runs side by side", async (t) => {
  const queue = await slow(t, "overlap: 'queue'");
  await until('one is queued, others are skipped', () => queue.begun && /a run is queued already/.test(logOf(queue)));
  assert.equal(queue.begun, 1);
  queue.ends[0]?.();
  await until('the queued one runs', () => queue.begun === 2);
  await until('more are skipped', () => (logOf(queue).match(/queued already/g)?.length ?? 0) > 3);
  finish(queue);

  const allow = await slow(t, "overlap: 'allow'");
  await until('three run', () => allow.begun === 3);
  finish(allow);
});

test('timeout: a run that takes longer has failed, and does not hold up the next one', async (t) => {
  const app = await slow(t, "timeout: '80ms'");
  await until('it runs again', () => (app.begun ?? 0) >= 2);
  assert.match(logOf(app), /slow\.js failed after \d+ms: the task has not ended after 80 ms/);
});

test('a type of its own sends when it likes, and hears of the end', async (t) => {
  const app = await startSingle(t, {
    'agent.js': `
      module.exports = (agent) => {
        class Queue extends agent.ScheduleStrategy {
          start() { agent.push = (value) => this.sendOne(value, this.schedule.topic); }
          onJobFinish(info) { agent.finished = info; }
        }
        agent.schedule.use('queue', Queue);
        class Twice extends agent.TimerScheduleStrategy {
          handler() { this.sendAll('twice', this.count); this.sendOne('twice', this.count); }
        }
        agent.schedule.use('twice', Twice);
      };`,
    'app/schedule/queue.js': `exports.schedule = { type: 'queue', topic: 'orders' }; exports.task = ${NOTE};`,
    'app/schedule/twice.js': `exports.schedule = { type: 'twice', immediate: true }; exports.task = ${NOTE};`,
  });
  const agent = app.agent as Agent & {
    push(value: number): Promise<{ success: boolean }>;
    finished: { success: boolean };
  };
  await until('both have run', () => app.ran?.length === 2);
  // No run is skipped here: whoever sends decides.
  const results = await Promise.all([agent.push(1), agent.push(2)]);
  assert.deepEqual(
    results.map(({ success }) => success),
    [true, true],
  );
  assert.deepEqual(app.ran, [
    ['twice', 0],
    ['twice', 1],
    [1, 'orders'],
    [2, 'orders'],
  ]);
  assert.equal(agent.finished.success, true);
});

test('schedules can be registered and unregistered while the app runs', async (t) => {
  const app = await startSingle(t, {});
  const task = (ctx: { app: unknown }) => ((ctx.app as Ran).ran ??= []).push('late');
  const item = { key: '/late.js', schedule: { type: 'worker', interval: 30 }, task };
  app.scheduleWorker.registerSchedule(item);
  app.agent.schedule.registerSchedule(item);
  await until('it runs', () => app.ran);
  app.agent.schedule.unregisterSchedule('/late.js');
  app.scheduleWorker.unregisterSchedule('/late.js');
  await assert.rejects(app.runSchedule('/late.js'), /Cannot find schedule/);
});

test('an app waits for its runs when it closes, before its other hooks', async (t) => {
  const app = await startSingle(t, {
    'app/schedule/a.js': `
      exports.schedule = { type: 'worker', immediate: true };
      exports.task = async ({ app }) => {
        app.order = ['begun'];
        await new Promise((resolve) => { app.finish = resolve; });
        app.order.push('ended');
      };`,
    'app.js': "module.exports = (app) => app.beforeClose(() => app.order.push('closed'));",
  });
  const { order } = await until(
    'it has begun',
    () => (app as unknown as { order: string[] }).order && (app as unknown as { order: string[] }),
  );
  // The hook that is registered last runs first: the task goes on once the others would have run.
  app.beforeClose(() => setImmediate((app as unknown as { finish(): void }).finish));
  await app.close();
  assert.deepEqual(order, ['begun', 'ended', 'closed']);
});

test('tasks may be generator functions, as in Egg 3', async (t) => {
  const app = loadApp(t, {
    'app/schedule/object.js': `module.exports = {
      schedule: { type: 'worker', interval: '1h' },
      *task(ctx, number) { return [ctx.method, yield Promise.resolve(number), this === module.exports]; },
    };`,
    'app/schedule/function.js': `module.exports = () => ({
      schedule: { type: 'worker', interval: '1h' },
      *task() { return yield [Promise.resolve(1), 2].map((each) => Promise.resolve(each)); },
    });`,
    'app/schedule/class.js': `
      const { Subscription } = require('egg');
      module.exports = class extends Subscription {
        static get schedule() { return { type: 'worker', interval: '1h' }; }
        *subscribe(number) { return [this.ctx.method, yield Promise.resolve(number)]; }
      };`,
    'app/schedule/failing.js': `module.exports = {
      schedule: { type: 'worker', interval: '1h' },
      *task() { yield Promise.reject(new Error('from a generator')); },
    };`,
  });
  await app.ready();
  assert.deepEqual(await app.runSchedule('object', 5), ['SCHEDULE', 5, true]);
  assert.deepEqual(await app.runSchedule('function'), [1, 2]);
  assert.deepEqual(await app.runSchedule('class', 6), ['SCHEDULE', 6]);
  await assert.rejects(app.runSchedule('failing'), /from a generator/);
});
