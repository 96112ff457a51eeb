import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff, killedFromOutside } from '../../../cluster/supervise/backoff.js';

test('the delay doubles from 1 s to 30 s, with jitter, and starts over after a healthy life', () => {
  const backoff = new Backoff();
  const delays = Array.from({ length: 10 }, () => backoff.delayAfter(100, 1));
  assert.deepEqual(delays, [0, 0, 0, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  assert.ok(backoff.active);
  assert.equal(backoff.delayAfter(100, 0), 22_500);
  assert.equal(backoff.delayAfter(60_000), 0);
  assert.equal(backoff.active, false);
});

test('a kill from outside is told from a fault of the process', () => {
  assert.deepEqual(['SIGKILL', 'SIGTERM', 'SIGSEGV', 'SIGABRT', null].map(killedFromOutside), [
    true,
    true,
    false,
    false,
    false,
  ]);
});
