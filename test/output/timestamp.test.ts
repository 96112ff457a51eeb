import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockTime, dateTime, timestamp } from '../../output/timestamp.js';

test('a time reads the same in tables, logs and lines of clutch dev', () => {
  const at = new Date(2026, 0, 2, 3, 4, 5, 6).getTime();
  assert.equal(dateTime(at), '2026-01-02 03:04:05');
  const before = Date.now();
  const logged = timestamp();
  const clock = clockTime();
  assert.match(logged, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}$/);
  const value = Date.parse(logged.replace(' ', 'T').replace(',', '.'));
  assert.ok(value >= before && value <= Date.now(), logged);
  assert.match(clock, /^\d\d:\d\d:\d\d$/);
});
