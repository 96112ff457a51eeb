import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { rowsOf, ticksOf } from '../../../page/model/flame.js';

const intervals = fc.array(fc.record({ start: fc.nat(1000), took: fc.integer({ min: 1, max: 500 }) }), {
  maxLength: 30,
});

test('an interval lies below the one that contains it, whatever their order', () => {
  const rows = rowsOf([
    { start: 20, took: 10 },
    { start: 0, took: 100 },
    { start: 120, took: 5 },
    { start: 22, took: 3 },
  ]);
  assert.deepEqual(rows, [1, 0, 0, 2]);
});

test('no two bars of a row overlap', () => {
  fc.assert(
    fc.property(intervals, (all) => {
      const rows = rowsOf(all);
      for (const [i, a] of all.entries()) {
        for (const [j, b] of all.entries()) {
          if (i === j || rows[i] !== rows[j]) continue;
          assert.ok(a.start + a.took <= b.start || b.start + b.took <= a.start);
        }
      }
    }),
  );
});

test('ticks are round and begin at 0', () => {
  assert.deepEqual(ticksOf(722), [0, 200, 400, 600]);
  assert.deepEqual(ticksOf(5), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(ticksOf(0), [0]);
});
