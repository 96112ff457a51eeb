import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepLine, takeLines } from '../../ipc/recent_lines.js';

test('the last twenty lines are reported once, in order', () => {
  for (let index = 0; index < 100; index += 1) keepLine(`line ${index}\n`);
  assert.deepEqual(
    takeLines(),
    Array.from({ length: 20 }, (_, index) => `line ${80 + index}\n`),
  );
  assert.deepEqual(takeLines(), []);
  keepLine('one more\n');
  assert.deepEqual(takeLines(), ['one more\n']);
});

test('a line that two logs got in a row is reported once', () => {
  for (let index = 0; index < 25; index += 1)
    for (const _ of ['the log', 'the error log']) keepLine(`error ${index}\n`);
  assert.deepEqual(
    takeLines(),
    Array.from({ length: 20 }, (_, index) => `error ${5 + index}\n`),
  );
});
