import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { CLI, copyFixture, launch, startTestCluster, until } from '../../../support/apps.js';
import { request } from '../../../support/http.js';

const PLANTED = /planted-\d\d|454545|70 ?6c ?61 ?6e ?74/;

function assertClean(text: string, where: string): void {
  const at = text.search(PLANTED);
  assert.equal(at, -1, `${where}: …${text.slice(Math.max(0, at - 200), at + 40)}`);
}

function filesIn(dir: string, ends: string): string[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith(ends))
    .map((name) => path.join(dir, name));
}

test('of 47 secrets in a config none is shown in run/, commands, logs and errors', async (t) => {
  const baseDir = copyFixture(t, 'secrets');
  const cluster = await startTestCluster(t, { baseDir, workers: 1 });
  assert.equal((await request(`${cluster.url}/log?password=planted-48`)).body, 'planted-39');
  const failed = await request(`${cluster.url}/throw`);
  assert.equal(failed.status, 500);
  assertClean(failed.body, 'the response');
  await until('run/ is written', () => filesIn(path.join(baseDir, 'run'), 'router.json').length > 0);
  await cluster.stop();

  const dumps = filesIn(path.join(baseDir, 'run'), '.json');
  assert.ok(dumps.some((file) => file.endsWith('application_config.json')));
  for (const file of dumps) {
    assertClean(readFileSync(file, 'utf8'), file);
    // Hidden in dumps alone: the records of deaths have the last lines of the log, which has it, too.
    if (!file.endsWith('deaths.json')) assert.doesNotMatch(readFileSync(file, 'utf8'), /by path/);
  }
  const logs = filesIn(path.join(baseDir, 'logs'), '.log');
  assert.ok(logs.length >= 2);
  for (const file of logs) assertClean(readFileSync(file, 'utf8'), file);
  assertClean(cluster.output(), 'output of the cluster');
  const written = logs.map((file) => readFileSync(file, 'utf8')).join('');
  assert.match(
    written,
    /cannot connect to redis:\/\/user:\*\*\*@host:6379 with password=\*\*\* use mongodb:\/\/user:\*\*\*@host/,
  );

  for (const args of [['config'], ['config', '--json'], ['config', 'mysql'], ['config', 'redis']]) {
    assertClean(
      execFileSync(process.execPath, [CLI, ...args], { cwd: baseDir, encoding: 'utf8' }),
      `clutch ${args.join(' ')}`,
    );
  }
  const { config } = JSON.parse(readFileSync(path.join(baseDir, 'run/application_config.json'), 'utf8'));
  assert.deepEqual(config.harmless, {
    primaryKey: 'shown-1',
    keyframes: 'shown-2',
    tokenName: 'shown-3',
    cookies: { httpOnly: true },
  });
  assert.equal(config.mysql.password, '<String len: 10>');
  assert.equal(config.wrapped, '<Secret>');
  assert.deepEqual(config.tenants, { first: '<Object>', second: { name: 'shown' } });
});

test('the error of a boot that fails shows no secret', async (t) => {
  const cluster = launch(t, { baseDir: copyFixture(t, 'secrets'), workers: 1 }, { FAIL_WITH_SECRET: '1' });
  assert.equal(await cluster.exited, 1);
  assert.match(cluster.output(), /cannot connect to amqp:\/\/user:\*\*\*@host\/vhost with Bearer \*\*\*/);
  assertClean(cluster.output(), 'output');
});
