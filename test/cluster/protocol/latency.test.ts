import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bucketOf, LATENCY_BOUNDS, noCounts, quantile } from '../../../cluster/protocol/latency.js';

test('a duration is counted in the first bucket whose bound it does not exceed', () => {
  const expected = (milliseconds: number): number => {
    const index = LATENCY_BOUNDS.findIndex((bound) => milliseconds <= bound);
    return index < 0 ? LATENCY_BOUNDS.length : index;
  };
  for (const bound of LATENCY_BOUNDS) {
    assert.equal(bucketOf(bound), LATENCY_BOUNDS.indexOf(bound));
    assert.equal(bucketOf(bound * 1.01), LATENCY_BOUNDS.indexOf(bound) + 1);
  }
  fc.assert(
    fc.property(fc.double({ min: 0, max: 20_000, noNaN: true }), (milliseconds) => {
      // Bounds are compared in whole microseconds.
      const microseconds = Math.ceil(milliseconds * 1000) / 1000;
      assert.equal(bucketOf(milliseconds), expected(microseconds));
    }),
  );
  for (const odd of [0, 1e12, Number.POSITIVE_INFINITY]) assert.equal(bucketOf(odd), expected(odd));
});

test('a quantile is at most a third off', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.2, max: 9000, noNaN: true }), { minLength: 1, maxLength: 200 }),
      fc.constantFrom(0.5, 0.95, 0.99),
      (durations, share) => {
        const counts = noCounts();
        for (const each of durations) counts[bucketOf(each)] = (counts[bucketOf(each)] ?? 0) + 1;
        const sorted = [...durations].sort((a, b) => a - b);
        const exact = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number;
        const found = quantile(counts, share) as number;
        assert.ok(found > exact * 0.66 && found < exact * 1.34, `${found} for ${exact}`);
      },
    ),
  );
  assert.equal(quantile(noCounts(), 0.5), undefined);
});
