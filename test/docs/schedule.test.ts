import assert from 'node:assert/strict';
import { test } from 'node:test';
import { start } from 'koa-clutch';
import { until } from '../support/apps.js';
import { writeApp } from '../support/loaded_app.js';
import { filesOf } from '../support/page.js';

test('docs/schedule.md: the schedules of its app run', async (t) => {
  const app = (await start({ baseDir: writeApp(t, filesOf('docs/schedule.md')), env: 'unittest' })) as Awaited<
    ReturnType<typeof start>
  > & { rates?: { EUR: number }; lastOrder?: number };
  t.after(() => app.close());
  await until('the immediate one has run', () => app.rates?.EUR === 1);
  await until('the one with a type of its own has run', () => app.lastOrder === 1);
  assert.equal(await app.runSchedule('clean_sessions', 7), 'cleaned 7');
});
