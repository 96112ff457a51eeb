import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  count,
  formatAgo,
  formatClock,
  formatDuration,
  formatMemory,
  formatMilliseconds,
  formatNumber,
  formatPercent,
} from '../../../page/model/format.js';

test('numbers have the digits that count, and a dash stands for what is not known', () => {
  assert.deepEqual([0, 0.04, 1.25, 12.34, 123.4, 1234567, undefined].map(formatNumber), [
    ...['0', '0.04', '1.3', '12.3', '123', '1,234,567', '–'],
  ]);
});

test('milliseconds become seconds and minutes', () => {
  assert.deepEqual([0.44, 9.99, 12.4, 999.4, 1234, 59_990, 185_000, undefined].map(formatMilliseconds), [
    ...['0.4 ms', '10 ms', '12 ms', '999 ms', '1.2 s', '60 s', '3 min 5 s', '–'],
  ]);
});

test('a duration has its two largest units', () => {
  assert.deepEqual([400, 4000, 3_600_000, 7_800_000, 1_047_600_000].map(formatDuration), [
    ...['0 s', '4 s', '1 h', '2 h 10 min', '12 d 3 h'],
  ]);
});

test('memory and shares', () => {
  assert.deepEqual([88.4, 1536, undefined].map(formatMemory), ['88 MiB', '1.5 GiB', '–']);
  assert.deepEqual([0, 0.002, 1.24, 137.3, undefined].map(formatPercent), ['0 %', '< 0.1 %', '1.2 %', '137 %', '–']);
});

test('a time is its distance from now, in both directions', () => {
  const now = new Date(2026, 10, 25, 12).getTime();
  assert.deepEqual(
    [now - 300, now - 12_000, now + 200_000].map((at) => formatAgo(at, now)),
    ['just now', '12 s ago', 'in 3 min 20 s'],
  );
  assert.equal(formatClock(new Date(2026, 10, 25, 3, 4, 5).getTime(), now), '03:04:05');
  assert.equal(formatClock(new Date(2026, 10, 24, 3, 4, 5).toISOString(), now), '2026-11-24 03:04:05');
});

test('one thing, many things', () => {
  assert.deepEqual(
    [1, 0, 2].map((value) => count(value, 'process', 'processes')),
    ['1 process', '0 processes', '2 processes'],
  );
});
