import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ScheduleOptions } from 'koa-clutch';
import { loadAgent } from '../../support/loaded_app.js';

const HOUR = 3_600_000;

/** The schedule of an Agent whose file says this; its times are asked for through the class that custom types extend. */
function strategyOf(t: Parameters<typeof loadAgent>[0], schedule: ScheduleOptions) {
  const agent = loadAgent(t);
  const strategy = new agent.TimerScheduleStrategy(schedule, agent, '/app/schedule/x.js');
  t.after(() => strategy.close());
  strategy.start();
  return strategy;
}

test('interval takes milliseconds and texts', (t) => {
  for (const [interval, expected] of [
    [500, 500],
    ['10s', 10_000],
    ['2h', 2 * HOUR],
  ] as const) {
    const { next } = strategyOf(t, { interval });
    assert.ok(Math.abs((next as number) - Date.now() - expected) < 100, `${interval}`);
  }
});

test('cron takes seconds, time zones and an end', (t) => {
  const seconds = strategyOf(t, { cron: '*/5 * * * * *' }).next as number;
  assert.equal(seconds % 5000, 0);
  assert.ok(seconds - Date.now() <= 5000);
  const utc = new Date(strategyOf(t, { cron: '30 4 * * *', cronOptions: { utc: true } }).next as number);
  assert.deepEqual([utc.getUTCHours(), utc.getUTCMinutes()], [4, 30]);
  const shanghai = new Date(strategyOf(t, { cron: '30 4 * * *', cronOptions: { tz: 'Asia/Shanghai' } }).next as number);
  assert.deepEqual([shanghai.getUTCHours(), shanghai.getUTCMinutes()], [20, 30]);
  const over = strategyOf(t, { cron: '0 0 1 1 *', cronOptions: { endDate: new Date() } });
  assert.equal(over.next, undefined);
});

test('a time further away than a timer can wait is no busy loop', (t) => {
  const { next } = strategyOf(t, { interval: '60d' });
  assert.ok((next as number) - Date.now() > 59 * 24 * HOUR);
});

test('what cannot be read is an error with the file', (t) => {
  for (const [schedule, error] of [
    [{}, /schedule\.interval or schedule\.cron or schedule\.immediate must be present/],
    [{ cron: 'every day' }, /cron "every day" cannot be read/],
    [{ cron: '61 * * * *' }, /expected range 0-59/],
    [{ cron: '* * * * *', cronOptions: { tz: 'Nowhere/Else' } }, /Invalid time zone specified: Nowhere\/Else/],
    [{ interval: 'soon' }, /"soon" is not a time/],
    [{ interval: 100, overlap: 'both' }, /schedule\.overlap is "both"/],
  ] as [ScheduleOptions, RegExp][]) {
    assert.throws(
      () => strategyOf(t, schedule),
      (thrown: Error) => {
        assert.match(thrown.message, error);
        assert.match(thrown.message, /\/app\/schedule\/x\.js/);
        return true;
      },
    );
  }
});

test('daily crons, which are read without the parser, ring when the parser says, also where clocks are changed', (t) => {
  const agent = loadAgent(t);
  const zone = process.env['TZ'];
  t.after(() => {
    if (zone === undefined) delete process.env['TZ'];
    else process.env['TZ'] = zone;
  });
  const nextOf = (schedule: ScheduleOptions, since: number): number | undefined => {
    Object.defineProperty(agent.schedule, 'since', { configurable: true, value: since });
    const strategy = new agent.TimerScheduleStrategy(schedule, agent, '/app/schedule/x.js');
    strategy.start();
    const { next } = strategy;
    strategy.close();
    return next;
  };
  const crons = ['* * * * *', '* * * * * *', '7 * * * *', '1 0 0 * * *', '0 30 2 * * *', '15 * 1 * * *', '59 23 * * *'];
  // Around a change of clocks in each zone, and in a month without one.
  const times = ['2026-03-08', '2026-03-29', '2026-10-04', '2026-11-01', '2026-07-15'].map((day) => Date.parse(day));
  for (const TZ of ['UTC', 'America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe', 'Asia/Kolkata']) {
    process.env['TZ'] = TZ;
    for (const cron of crons) {
      for (const time of times) {
        for (let hour = -30; hour < 54; hour += 1) {
          const since = time + hour * HOUR + ((hour * 7_919_311) % HOUR);
          const text = `${cron} after ${new Date(since).toISOString()} in ${TZ}`;
          assert.equal(nextOf({ cron }, since), nextOf({ cron, cronOptions: {} }, since), text);
        }
      }
    }
  }
});
