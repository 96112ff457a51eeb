import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogLimiter } from '../../output/log_limiter.js';
import { until } from '../support/apps.js';

test('of a flood the first lines are written, and one line with the number of the others', async () => {
  const lines: string[] = [];
  const limiter = new LogLimiter((line) => lines.push(line), { lines: 2, period: 100 });
  for (let count = 1; count <= 1000; count += 1) limiter.log(`refused ${count}`);
  assert.deepEqual(lines, ['refused 1', 'refused 2']);
  await until('the period has ended', () => lines.length === 3);
  assert.equal(lines[2], '998 more like this in 0.1 s, the last one: refused 1000');
});

test('the next period begins with its first message', async () => {
  const lines: string[] = [];
  const limiter = new LogLimiter((line) => lines.push(line), { lines: 1, period: 30 });
  limiter.log('one');
  await until('a new period has begun', () => {
    limiter.log('two');
    return lines.at(-1) === 'two';
  });
  assert.equal(lines[0], 'one');
});
