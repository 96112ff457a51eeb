import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { ROOT } from '../../support/apps.js';

const WRITER = path.join(ROOT, '.test/test/support/master_log_writer.js');

interface Report {
  /** MiB that the process grew by while it wrote. */
  grown: number;
  /** Milliseconds for which the event loop was blocked at most. */
  blocked: number;
  lost: number;
}

/** Lets a process print a million lines through the Master's log; it reports over IPC. */
function startWriter(t: TestContext, stdout: 'pipe' | number): { child: ChildProcess; report: Promise<Report> } {
  const child = spawn(process.execPath, [WRITER], { stdio: ['ignore', stdout, 'pipe', 'ipc'] });
  t.after(() => child.kill('SIGKILL'));
  const report = Promise.race([
    once(child, 'message').then(([message]) => message as Report),
    once(child, 'exit').then(([code, signal]) => {
      throw new Error(`ended by ${code ?? signal}`);
    }),
  ]);
  return { child, report };
}

test('a reader that reads nothing: the memory of the Master stays flat, nothing waits', async (t) => {
  const { child, report } = startWriter(t, 'pipe');
  let errors = '';
  child.stderr?.on('data', (chunk) => (errors += String(chunk)));
  const { grown, blocked, lost } = await report;
  assert.ok(grown < 60, `${grown} MiB`);
  assert.ok(blocked < 2000, `${blocked} ms`);
  assert.ok(lost > 900_000, String(lost));
  assert.match(errors, /^stdout cannot be written: the reader is too slow; lines are dropped\n$/);
  let text = '';
  child.stdout?.on('data', (chunk) => (text += String(chunk)));
  child.send('one more');
  await once(child.stdout as NonNullable<typeof child.stdout>, 'end');
  assert.match(text, /\n\d{6} lines before this one were lost: the reader is too slow\n.* \[master\] one more\n$/);
});

test('a reader that has gone does not end the Master', async (t) => {
  const { child, report } = startWriter(t, 'pipe');
  child.stdout?.destroy();
  assert.ok((await report).lost > 900_000);
});

test('a disk that is full does not end the Master, and its memory stays flat', async (t) => {
  const { report } = startWriter(t, openSync('/dev/full', 'w'));
  const { grown, lost } = await report;
  assert.ok(grown < 60, `${grown} MiB`);
  assert.equal(lost, 1_000_000);
});
