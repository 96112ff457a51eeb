import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogLine } from '../../../cluster/logs/log_line.js';
import { appendLines, keysOf, matchLine } from '../../../page/model/logs.js';

const ALL = { text: '', level: 'DEBUG', pid: '', trace: '' } as const;

function line(text: string, more: Partial<LogLine> = {}): LogLine {
  return { at: '2026-11-25T12:00:00.000Z', pid: 7, level: 'INFO', log: 'web.log', text, ...more };
}

test('a line is found by its text, process, level and trace', () => {
  const warning = line('Disk is full', { level: 'WARN', traceId: '4bf92f35' });
  for (const filter of [{ text: 'disk' }, { pid: '7' }, { level: 'WARN' as const }, { trace: '4bf9' }]) {
    assert.ok(matchLine(warning, { ...ALL, ...filter }), JSON.stringify(filter));
  }
  for (const filter of [{ text: 'disc' }, { pid: '8' }, { level: 'ERROR' as const }, { trace: 'c' }]) {
    assert.ok(!matchLine(warning, { ...ALL, ...filter }), JSON.stringify(filter));
  }
  assert.ok(matchLine(line('x', { level: 'NONE' }), { ...ALL, level: 'ERROR' }));
});

test('lines that the server does not keep any more stay, and none is there twice', () => {
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((text) => line(text)) as [LogLine, LogLine, LogLine, LogLine];
  assert.deepEqual(appendLines([], [a, b], true), [a, b]);
  assert.deepEqual(appendLines([a, b], [b, c, d], true), [a, b, c, d]);
  assert.deepEqual(appendLines([a, b], [a, b], true), [a, b]);
  assert.deepEqual(appendLines([a, b], [c, d], true), [c, d]);
  assert.deepEqual(appendLines([a, b], [b, c], false), [a, b, b, c]);
});

test('a line keeps its key when earlier ones are gone', () => {
  const [first, ...rest] = [line('a'), line('b'), line('c')] as [LogLine, LogLine, LogLine];
  assert.deepEqual(keysOf([first, ...rest]).slice(1), keysOf(rest));
  assert.equal(new Set(keysOf([first, first])).size, 2);
});
