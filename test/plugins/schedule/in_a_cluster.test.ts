import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { CLI, isAlive, type RunningCluster, startTestCluster, until } from '../../support/apps.js';
import { writeApp } from '../../support/loaded_app.js';

/** What tasks have noted: one line for each step, `<what> <pid>`. */
interface Notes {
  baseDir: string;
  cluster: RunningCluster;
  lines(): string[];
  /** Pids of those that have noted this. */
  pids(what: string): number[];
  log(): string;
}

async function startNoting(t: TestContext, schedules: Record<string, string>, workers = 2): Promise<Notes> {
  let running: RunningCluster | undefined;
  // Before the directory is removed: hooks run in the order in which they are registered.
  t.after(() => running?.stop());
  const baseDir = writeApp(t, {
    'note.js': `
      const file = require('path').join(__dirname, 'notes.txt');
      exports.note = (what) => require('fs').appendFileSync(file, what + ' ' + process.pid + '\\n');
      exports.until = async (name) => {
        while (!require('fs').existsSync(__dirname + '/' + name)) await new Promise((resolve) => setTimeout(resolve, 20));
      };`,
    'config/config.default.js': "exports.logger = { dir: require('path').join(__dirname, '../logs') };",
    ...Object.fromEntries(
      Object.entries(schedules).map(([name, text]) => [
        `app/schedule/${name}.js`,
        `const { note, until } = require('../../note');\n${text}`,
      ]),
    ),
  });
  const cluster = await startTestCluster(t, { baseDir, workers });
  running = cluster;
  const read = (name: string): string => {
    const file = path.join(baseDir, name);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  };
  const lines = (): string[] => read('notes.txt').split('\n').filter(Boolean);
  return {
    baseDir,
    cluster,
    lines,
    pids: (what) =>
      lines()
        .filter((line) => line.startsWith(`${what} `))
        .map((line) => Number(line.split(' ').at(-1))),
    log: () => read('logs/egg-schedule.log'),
  };
}

test('type worker runs on one app worker, type all on each', async (t) => {
  const { cluster, pids } = await startNoting(t, {
    one: "exports.schedule = { type: 'worker', immediate: true }; exports.task = () => note('one');",
    all: "exports.schedule = { type: 'all', immediate: true }; exports.task = () => note('all');",
  });
  const { workers } = await cluster.pids();
  await until('all have run', () => pids('all').length === 2 && pids('one').length === 1);
  assert.deepEqual(pids('all').sort(), workers.sort());
  assert.ok(workers.includes(pids('one')[0] as number));
});

test('W14: a run whose worker dies in the middle begins again on another one, once', async (t) => {
  const { cluster, pids, log } = await startNoting(t, {
    job: `
      exports.schedule = { type: 'worker', immediate: true };
      exports.task = async () => { note('begun'); await until('go'); note('ended'); };`,
  });
  const [first] = await until('it has begun', () => pids('begun').length === 1 && pids('begun'));
  process.kill(first as number, 'SIGKILL');
  const [, second] = await until('it has begun again', () => pids('begun').length === 2 && pids('begun'));
  assert.notEqual(second, first);
  process.kill(second as number, 'SIGKILL');
  await until('it is given up', () => /job\.js failed: app worker \d+ died during the run/.test(log()));
  assert.match(log(), /job\.js begins again: app worker \d+ died during the run/);
  await until('there are workers', async () => (await cluster.pids()).workers.length === 2);
  assert.equal(pids('begun').length, 2);
});

test('a run may have begun when its worker dies before it has said so: it begins again as often as retry says', async (t) => {
  const die = "note('begun'); process.kill(process.pid, 'SIGKILL');";
  for (const retry of [0, 1]) {
    const { cluster, pids, log } = await startNoting(t, {
      job: `exports.schedule = { type: 'worker', immediate: true, retry: ${retry} }; exports.task = () => { ${die} };`,
    });
    await until('it is given up', () => /job\.js failed: app worker \d+ died during the run/.test(log()));
    await until('there are workers', async () => (await cluster.pids()).workers.length === 2);
    assert.equal(pids('begun').length, retry + 1);
    await cluster.stop();
  }
});

test('W14: the death of the Agent runs nothing twice: not what is immediate, not what is still running', async (t) => {
  const { baseDir, cluster, pids, log } = await startNoting(t, {
    immediate: "exports.schedule = { type: 'worker', immediate: true }; exports.task = () => note('immediate');",
    long: `
      exports.schedule = { type: 'worker', interval: 200 };
      exports.task = async () => { note('long'); await until('go'); note('ended'); };`,
    beat: "exports.schedule = { type: 'worker', interval: 20 }; exports.task = () => note('beat');",
  });
  await until('all run', () => pids('immediate').length === 1 && pids('long').length === 1);
  const { agent } = await cluster.pids();
  process.kill(agent as number, 'SIGKILL');
  const next = await until('there is another Agent', async () => {
    const { agent: other } = await cluster.pids();
    return other !== agent && other;
  });
  const beats = pids('beat').length;
  await until('it runs schedules', () => pids('beat').length > beats + 3);
  await until('it skips what is running', () =>
    new RegExp(`WARN ${next} \\[Timer\\] .*long\\.js is skipped: the last run has not ended`).test(log()),
  );
  // What was due without an Agent has run once, and is logged.
  assert.match(log(), new RegExp(`WARN ${next} \\[Timer\\] .*beat\\.js missed \\d+ runs since`));
  assert.equal(pids('immediate').length, 1);
  assert.equal(pids('long').length, 1);
  writeFileSync(path.join(baseDir, 'go'), '');
  await until('its end reaches the new Agent, and it runs again', () => pids('long').length > 1);
});

test('a reload runs nothing twice, and a run that has begun ends on the old worker', async (t) => {
  const { baseDir, cluster, pids, log } = await startNoting(
    t,
    {
      immediate: "exports.schedule = { type: 'worker', immediate: true }; exports.task = () => note('immediate');",
      long: `
        exports.schedule = { type: 'worker', interval: 300 };
        exports.task = async () => { note('long'); await until('go'); note('ended'); };`,
    },
    1,
  );
  const [worker] = await until('it runs', () => pids('long').length === 1 && pids('long'));
  const reloaded = cluster.reload();
  await until('the new worker is ready', async () => {
    const { workers } = await cluster.pids();
    return workers.length === 1 && workers[0] !== worker;
  });
  assert.ok(isAlive(worker as number));
  assert.equal(pids('long').length, 1);
  writeFileSync(path.join(baseDir, 'go'), '');
  await reloaded;
  await until('it has ended there', () => pids('ended').length >= 1);
  assert.equal(pids('ended')[0], worker);
  await until('the next run is on the new worker', () => pids('long').length >= 2);
  assert.equal(pids('immediate').length, 1);
  assert.doesNotMatch(log(), /died during/);
});

test('clutch schedule lists and runs', async (t) => {
  const { baseDir } = await startNoting(t, {
    job: "exports.schedule = { type: 'worker', interval: '1h' }; exports.task = (ctx, who) => note('hello ' + who);",
    bad: "exports.schedule = { type: 'all', cron: '0 0 1 1 *' }; exports.task = () => { throw new Error('no luck'); };",
    off: "exports.schedule = { type: 'worker', interval: '1h', disable: true }; exports.task = () => 1;",
  });
  const clutch = async (...args: string[]): Promise<{ code: number; text: string }> => {
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [CLI, 'schedule', ...args]);
      return { code: 0, text: stdout };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, text: stdout + stderr };
    }
  };
  const ran = await clutch('run', 'job', baseDir, '--args', '["you"]');
  assert.match(ran.text, /^job succeeded in \d+ ms in app worker \d+\n$/);
  assert.match(readFileSync(path.join(baseDir, 'notes.txt'), 'utf8'), /^hello you \d+\n$/);
  const failed = await clutch('run', 'bad', baseDir);
  assert.equal(failed.code, 1);
  assert.match(failed.text, /^(?:bad failed after \d+ ms in app worker \d+: no luck\n){2}$/);
  assert.match((await clutch('run', 'off', baseDir)).text, /schedule off is disabled/);
  assert.match((await clutch('run', 'none', baseDir)).text, /Cannot find schedule none\n.*bad, job, off/);
  assert.match((await clutch('run', 'job', baseDir, '--args', '{}')).text, /--args is no JSON array/);
  assert.match((await clutch('stop')).text, /no action 'stop'/);
  const { text } = await clutch('list', baseDir);
  assert.match(text, /^name +type +when +next +last run +took +result$/m);
  assert.match(text, /^bad +all +0 0 1 1 \* +[\d-]+ [\d:]+ +[\d-]+ [\d:]+ +\d+ ms +no luck$/m);
  assert.match(text, /^job +worker +every 1h +[\d-]+ [\d:]+ +[\d-]+ [\d:]+ +\d+ ms +ok$/m);
  assert.match(text, /^off +worker +every 1h +disabled$/m);
  const rows = JSON.parse((await clutch('list', baseDir, '--json')).text) as { name: string; history: object[] }[];
  assert.equal(rows.find(({ name }) => name === 'bad')?.history.length, 2);
});

test('schedules run in worker threads', async (t) => {
  const baseDir = writeApp(t, {
    'app/schedule/a.js': `
      exports.schedule = { type: 'all', interval: 100 };
      exports.task = () => console.log('a thread runs it');`,
  });
  const cluster = await startTestCluster(t, { baseDir, workers: 1, startMode: 'worker_threads' });
  await until('it runs', () => /a thread runs it/.test(cluster.output()));
});
