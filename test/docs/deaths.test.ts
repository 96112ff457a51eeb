import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { DEATH_REASONS } from '../../ipc/death_record.js';
import { ROOT, startTestCluster, until } from '../support/apps.js';
import { writeApp } from '../support/loaded_app.js';
import { filesOf } from '../support/page.js';

const page = readFileSync(path.join(ROOT, 'docs/deaths.md'), 'utf8');

test('docs/deaths.md: each reason has a row with what decides it', () => {
  const rows = [...page.matchAll(/^\| ((?:`[\w-]+`(?:, )?)+) \| (\w+) \| [^|]+ \|$/gm)].flatMap(([, reasons, by]) =>
    (reasons as string).split(', ').map((reason) => [reason.replaceAll('`', ''), by]),
  );
  assert.deepEqual(Object.fromEntries(rows), DEATH_REASONS);
});

test('docs/deaths.md: the example logs what has died in the log of the Agent', async (t) => {
  const baseDir = writeApp(t, filesOf('docs/deaths.md'));
  const cluster = await startTestCluster(t, { baseDir, workers: 1 }, { EGG_HOME: baseDir });
  const [pid] = (await cluster.pids()).workers;
  process.kill(pid as number, 'SIGKILL');
  const log = path.join(baseDir, 'logs/demo/egg-agent.log');
  const line = new RegExp(`WARN \\d+ app worker ${pid}: signal, ended by SIGKILL; it wrote`);
  await until('it is logged', () => existsSync(log) && line.test(readFileSync(log, 'utf8')));
});
