import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { start } from 'koa-clutch';
import { claim, finish, isLost, reassign, type Ticks } from '../../../plugins/fleet/lib/schedule/ticks.js';
import { temporaryDirectory, until } from '../../support/apps.js';
import { SKIP, startMachine, startServer, type TestMachine } from '../../support/fleet.js';
import { writeApp } from '../../support/loaded_app.js';

interface Note {
  what: 'begin' | 'end';
  member: string;
  due: number;
  attempt: number;
  token: number;
}

async function fleetOf(
  t: TestContext,
  {
    kind = 'redis',
    names = ['a', 'b', 'c'],
    interval = 500,
    hold = '',
  }: { kind?: 'redis' | 'nats'; names?: string[]; interval?: number; hold?: string },
) {
  const file = path.join(temporaryDirectory(t), 'notes.txt');
  writeFileSync(file, '');
  const server = await startServer(t, kind);
  const machines = new Map<string, TestMachine>();
  for (const name of names) {
    const fleet = { adapter: kind, url: server.url, lease: 2000, timeout: 500, file };
    const files = {
      'app/schedule/count.js': `
        exports.schedule = { type: 'fleet', interval: ${interval} };
        exports.task = async (ctx, tick) => {
          const { member, file } = ctx.app.config.fleet;
          const note = (what) => require('fs').appendFileSync(file, JSON.stringify({ what, member, ...tick }) + '\\n');
          note('begin');
          ${hold}
          note('end');
        };`,
    };
    machines.set(name, await startMachine(t, name, fleet, files, { workers: 1 }));
  }
  const notes = (): Note[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Note);
  const log = (name: string): string => {
    const file = path.join(machines.get(name)?.baseDir ?? '', 'logs/egg-schedule.log');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  };
  return { server, machines, notes, log };
}

async function kill({ cluster }: TestMachine): Promise<void> {
  const { master, agent, workers } = await cluster.pids();
  for (const pid of [master, agent as number, ...workers]) process.kill(pid, 'SIGKILL');
}

for (const kind of ['redis', 'nats'] as const) {
  test(`${kind}: a task runs once over all machines at each time, also while machines are killed`, {
    skip: SKIP[kind],
  }, async (t) => {
    const { machines, notes } = await fleetOf(t, { kind });
    const ends = (): Note[] => notes().filter(({ what }) => what === 'end');
    await until('it has run four times', () => ends().length >= 4);
    await kill(machines.get('a') as TestMachine);
    const killed = ends().length;
    await until('it goes on', () => ends().length >= killed + 4);
    // A machine that dies between the end of a run and its record leaves a run that looks unfinished: it begins again.
    const last = ends().findLast(({ member, attempt }) => member === 'a' && attempt === 1);
    const repeated = ends().filter(({ attempt }) => attempt > 1);
    assert.ok(
      repeated.length <= 1 && repeated.every(({ due }) => due === last?.due),
      'only the last run of a begins again',
    );
    const dues = ends()
      .filter(({ attempt }) => attempt === 1)
      .map(({ due }) => due);
    assert.equal(new Set(dues).size, dues.length, 'no time has run twice');
    const tokens = ends().map(({ token }) => token);
    assert.deepEqual(
      tokens,
      [...tokens].sort((x, y) => x - y),
    );
    // Once all three are up and none is killed, no time is left out.
    const gaps = dues.slice(1, killed).map((due, index) => due - (dues[index] as number));
    assert.ok(gaps.filter((gap) => gap === 500).length >= 1, gaps.join());
  });
}

test('a run whose machine dies begins again on another one, with a greater token', { skip: SKIP.redis }, async (t) => {
  // The first attempt never ends.
  const hold = 'if (tick.attempt === 1) await new Promise((resolve) => setTimeout(resolve, 60_000));';
  const { machines, notes, log } = await fleetOf(t, { interval: 1000, hold });
  const [first] = await until('it has begun', () => notes().length > 0 && notes());
  assert.ok(first);
  const others = [...machines.keys()].filter((name) => name !== first.member);
  await kill(machines.get(first.member) as TestMachine);
  const end = await until('it has ended', () => notes().find(({ what }) => what === 'end'), 20_000);
  assert.equal(end.due, first.due);
  assert.equal(end.attempt, 2);
  assert.ok(end.token > first.token && end.member !== first.member);
  // Log lines are written in batches.
  await until('it is logged', () => log(end.member).includes(`count begins again: machine ${first.member} died`));
  await until('times during the run are skipped', () =>
    others.some((name) => /is skipped: it runs on/.test(log(name))),
  );
});

test('an Agent that is replaced keeps the run that its app worker still has', { skip: SKIP.redis }, async (t) => {
  const hold = 'await new Promise((resolve) => setTimeout(resolve, 6000));';
  const { machines, notes } = await fleetOf(t, { names: ['a'], interval: 1000, hold });
  const [first] = await until('it has begun', () => notes().length > 0 && notes());
  const { agent } = await (machines.get('a') as TestMachine).cluster.pids();
  process.kill(agent as number, 'SIGKILL');
  const end = await until('it has ended', () => notes().find(({ what }) => what === 'end'), 20_000);
  assert.equal(end.due, first?.due);
  assert.equal(notes().filter(({ due }) => due === first?.due).length, 2, 'it has not begun twice');
  await until('the next time runs', () => notes().some(({ due }) => due > end.due), 20_000);
});

test('after an outage of the server it runs once, and what was missed is reported', { skip: SKIP.redis }, async (t) => {
  const { server, notes, log } = await fleetOf(t, { names: ['a', 'b'] });
  await until('it runs', () => notes().length >= 4);
  await server.stop();
  const before = notes().length;
  await until('times pass by', () => /count waits for the fleet/.test(log('a')));
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await server.start();
  await until('it runs again', () => notes().length > before + 4, 20_000);
  await until('it is logged', () => /count: the fleet missed \d+ runs before/.test(log('a') + log('b')));
  const dues = notes()
    .filter(({ what }) => what === 'end')
    .map(({ due }) => due);
  assert.equal(new Set(dues).size, dues.length);
});

test('with the memory adapter it runs on the one machine', async (t) => {
  const baseDir = writeApp(t, {
    'config/plugin.js': 'exports.fleet = true;',
    'config/config.default.js': "exports.keys = 'k';",
    'app/schedule/count.js': `exports.schedule = { type: 'fleet', interval: 100 };
      exports.task = (ctx, tick) => { (ctx.app.ticks ??= []).push(tick); };`,
  });
  const app = (await start({ baseDir })) as Awaited<ReturnType<typeof start>> & { ticks?: { due: number }[] };
  t.after(() => app.close());
  await until('it runs', () => (app.ticks?.length ?? 0) >= 3);
  assert.ok(app.ticks?.every(({ due }) => due % 100 === 0));
});

test('what it cannot do stops the boot', async (t) => {
  for (const [schedule, message] of [
    ["{ type: 'fleet' }", /has no interval and no cron/],
    ["{ type: 'fleet', interval: 100, immediate: true }", /cannot be immediate/],
    ["{ type: 'fleet', interval: 100, overlap: 'queue' }", /cannot queue runs/],
  ] as const) {
    const baseDir = writeApp(t, {
      'config/plugin.js': 'exports.fleet = true;',
      'config/config.default.js': "exports.keys = 'k';",
      'app/schedule/count.js': `exports.schedule = ${schedule}; exports.task = () => {};`,
    });
    await assert.rejects(start({ baseDir }), message);
  }
});

test('ticks: claimed once, skipped while a run lasts, given on when its machine is gone', () => {
  const owner = { member: 'a', incarnation: '1' };
  const other = { member: 'b', incarnation: '2' };
  const claimOf = (before: Ticks | undefined, due: number, overlap = false) =>
    claim(before, { due, owner, missed: 2, now: due + 1, overlap });
  const first = claimOf(undefined, 100);
  assert.ok(first.is === 'claimed');
  assert.equal(first.ticks.missed, 2);
  assert.equal(claimOf(first.ticks, 100).is, 'taken');
  assert.equal(claimOf(first.ticks, 90).is, 'taken');
  assert.equal(claimOf(first.ticks, 200).is, 'skipped');
  assert.equal(claimOf(first.ticks, 200, true).is, 'claimed');
  const [run] = first.ticks.runs;
  assert.ok(run);
  const given = reassign(first.ticks, run, other, 2, 300);
  assert.deepEqual(given?.runs, [{ due: 100, ...other, attempt: 2, at: 300 }]);
  assert.equal(reassign(given as Ticks, run, other, 2, 300), undefined, 'only one machine gets it');
  assert.equal(
    finish(given as Ticks, run, { rt: 1, success: true, message: '' }),
    undefined,
    'the first machine has lost it',
  );
  const ended = finish(first.ticks, run, { rt: 1, success: true, message: '' });
  assert.deepEqual([ended?.runs.length, ended?.history.length], [0, 1]);
  const times = { now: 1000, grace: 100 };
  assert.equal(isLost(run, { incarnation: '1', since: 0 }, times), false);
  assert.equal(isLost(run, { incarnation: '9', since: 950 }, times), false);
  assert.equal(isLost(run, { incarnation: '9', since: 800 }, times), true);
  assert.equal(isLost(run, undefined, times), true);
});
