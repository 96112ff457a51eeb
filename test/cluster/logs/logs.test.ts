import assert from 'node:assert/strict';
import { appendFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { logFiles } from '../../../cluster/logs/log_files.js';
import { logFilter } from '../../../cluster/logs/log_filter.js';
import { LogFollower } from '../../../cluster/logs/log_follower.js';
import { readLogs } from '../../../cluster/logs/read_logs.js';
import { temporaryDirectory, until } from '../../support/apps.js';

const at = (second: number): string => `2026-03-01 10:00:${String(second).padStart(2, '0')},000`;

function logs(t: TestContext, files: Record<string, string>): { dir: string; files(): string[] } {
  const dir = temporaryDirectory(t);
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(dir, name), text);
  return { dir, files: () => logFiles(dir).sort() };
}

test('entries of several logs come in the order of their times, with the lines that belong to them', async (t) => {
  const { files } = logs(t, {
    'a-web.log': `${at(1)} INFO 11 one\n${at(4)} ERROR 11 nodejs.Error: four\n    at x (a.js:1:1)\n\npid: 11\n\n`,
    'egg-agent.log': `${at(2)} WARN 12 two\n${at(3)} INFO 12 [7/127.0.0.1/trace-1/1.5ms GET /?q=[a]] three\n`,
    'common-error.log': `${at(4)} ERROR 11 nodejs.Error: four\n    at x (a.js:1:1)\n\npid: 11\n\n`,
    'a-web.log.2026-02-28': `${at(0)} INFO 9 the day before\n`,
  });
  const { entries } = await readLogs(files(), { count: 10 });
  assert.deepEqual(
    entries.map(({ level, pid, log, text, traceId }) => [level, pid, log, text.split('\n')[0], traceId]),
    [
      ['INFO', 9, 'a-web.log', 'the day before', undefined],
      ['INFO', 11, 'a-web.log', 'one', undefined],
      ['WARN', 12, 'egg-agent.log', 'two', undefined],
      ['INFO', 12, 'egg-agent.log', '[7/127.0.0.1/trace-1/1.5ms GET /?q=[a]] three', 'trace-1'],
      ['ERROR', 11, 'a-web.log', 'nodejs.Error: four', undefined],
    ],
  );
  assert.match(entries.at(-1)?.printed ?? '', /ERROR 11 nodejs.Error: four\n {4}at x \(a.js:1:1\)\n\npid: 11$/);
  assert.equal(new Date(entries[1]?.at ?? '').getTime(), new Date(2026, 2, 1, 10, 0, 1).getTime());
  assert.deepEqual(
    (await readLogs(files(), { count: 2 })).entries.map(({ text }) => text.slice(-5)),
    ['three', 'd: 11'],
  );
});

test('JSON logs of Clutch and pino are understood, and are not printed beside the same text log', async (t) => {
  const line = {
    level: 'WARN',
    date: at(1),
    pid: 11,
    hostname: 'h',
    message: 'both',
    paddingMessage: '[-/-/t-9/0ms GET /]',
  };
  const { files } = logs(t, {
    'a-web.log': `${at(1)} WARN 11 [-/-/t-9/0ms GET /] both\n`,
    'a-web.json.log': `${JSON.stringify(line)}\n{"level":50,"time":1790000000000,"pid":13,"msg":"of pino","code":"E"}\n`,
  });
  const { entries } = await readLogs(files(), { count: 10 });
  assert.deepEqual(
    entries.map(({ level, pid, text, traceId }) => [level, pid, text, traceId]),
    [
      ['WARN', 11, '[-/-/t-9/0ms GET /] both', 't-9'],
      ['ERROR', 13, 'of pino {"code":"E"}', undefined],
    ],
  );
  assert.match(entries[1]?.printed ?? '', /^2026-09-\d\d \d\d:\d\d:\d\d,000 ERROR 13 of pino/);
});

test('entries are found by level, process and trace, far from the end of a large log', async (t) => {
  const noise = Array.from({ length: 30_000 }, (_, index) => `${at(index % 60)} INFO 11 ${'x'.repeat(40)} ${index}\n`);
  noise[7] = `${at(0)} ERROR 14 [-/-/abc/2ms GET /é] wanted\n  second line\n`;
  const { files } = logs(t, {
    'a-web.log': noise.join(''),
    'garbage.log': `${'no time\n'.repeat(20)}\u0000{"date":1}\n`,
  });
  const kinds = new Map([[14, 'agent' as const]]);
  for (const wanted of [{ level: 'WARN' }, { process: 14 }, { process: 'agent' }, { trace: 'abc' }] as const) {
    const { entries } = await readLogs(files(), { count: 5, filter: logFilter(wanted, kinds) });
    assert.deepEqual(
      entries.map(({ text }) => text),
      ['[-/-/abc/2ms GET /é] wanted\n  second line'],
      JSON.stringify(wanted),
    );
  }
  const { entries } = await readLogs(files(), { count: 5, filter: logFilter({ trace: 'abc' }, kinds), limit: 100_000 });
  assert.deepEqual(entries, []);
});

test('logs are followed through rotation, truncation and new files; each entry comes once', async (t) => {
  const { dir, files } = logs(t, { 'a-web.log': `${at(1)} INFO 11 before\n` });
  const file = path.join(dir, 'a-web.log');
  const { positions } = await readLogs(files(), { count: 1 });
  const seen: string[] = [];
  const onEntries = (entries: { text: string }[]): void => void seen.push(...entries.map(({ text }) => text));
  const follower = new LogFollower({ list: files, positions, onEntries });
  t.after(() => follower.close());
  const comes = (text: string): Promise<unknown> =>
    until(`${text} comes`, () => seen.includes(text)).catch(() => assert.fail(seen.join('|')));

  appendFileSync(file, `${at(2)} ERROR 11 first\n    at y\n`);
  writeFileSync(path.join(dir, 'common-error.log'), `${at(2)} ERROR 11 first\n    at y\n`);
  await comes('first\n    at y');
  renameSync(file, `${file}.2026-03-01`);
  appendFileSync(`${file}.2026-03-01`, `${at(3)} INFO 11 into the old one\n`);
  writeFileSync(file, `${at(4)} INFO 11 into the new one\n${at(4)} INFO 11 twice\n${at(4)} INFO 11 twice\n`);
  await comes('into the old one');
  await comes('into the new one');
  truncateSync(file);
  appendFileSync(file, `${at(5)} INFO 11 truncated\n`);
  await comes('truncated');
  assert.deepEqual(seen, ['first\n    at y', 'into the old one', 'into the new one', 'twice', 'twice', 'truncated']);
});
