import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { CLI, startTestCluster, until } from '../../support/apps.js';
import { SKIP, startMachine, startServer } from '../../support/fleet.js';
import { freePort } from '../../support/http.js';
import { writeApp } from '../../support/loaded_app.js';

interface Report {
  connected: boolean;
  members: { id: string; state: string; version: string; workers: string[] }[];
  leaders: Record<string, string>;
}

const clutch = promisify(execFile);

function clutchIn(
  args: string[],
  options: { cwd?: string } = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
  return clutch(process.execPath, [CLI, ...args], { ...options, env }).then(
    (result) => ({ code: 0, ...result }),
    (error) => error,
  );
}

test('clutch fleet status shows the machines of the fleet and what each leads', { skip: SKIP.redis }, async (t) => {
  const server = await startServer(t, 'redis');
  const fleet = { adapter: 'redis', url: server.url };
  const files = { 'agent.js': "module.exports = (agent) => { agent.fleet.lead('reports', {}); };" };
  const a = await startMachine(t, 'a', fleet, files, { workers: 1 });
  const b = await startMachine(t, 'b', fleet, files, { workers: 1 });
  const report = async (dir: string): Promise<Report> =>
    JSON.parse((await clutch(process.execPath, [CLI, 'fleet', 'status', '--json', dir])).stdout) as Report;
  const { members, leaders } = await until('both are ready', async () => {
    const found = await report(a.baseDir);
    return found.members.length === 2 && found.members.every(({ state }) => state === 'ready') && found;
  });
  assert.deepEqual(
    members.map(({ id, workers }) => [id, workers.length]),
    [
      ['a', 1],
      ['b', 1],
    ],
  );
  assert.match(String(leaders['reports']), /^[ab]$/);
  const { stdout } = await clutch(process.execPath, [CLI, 'fleet', 'status', b.baseDir]);
  assert.match(stdout, /^b is connected to fleet test, 0 times disconnected, 0 packets missed\n/);
  assert.match(stdout, /^a +ready .*\n?b +ready /m);
  await a.cluster.stop();
  assert.deepEqual(
    (await report(b.baseDir)).members.map(({ id }) => id),
    ['b'],
    'a machine that stops leaves the list',
  );
  await server.stop();
  const failed = await until('it notices', async () => {
    const found = await clutchIn(['fleet', 'status', '--json', b.baseDir]);
    return found.stdout !== '' && JSON.parse(found.stdout).connected === false && found;
  });
  assert.equal(failed.code, 1);
  for (const action of ['status', 'reload']) {
    const { code, stdout, stderr } = await clutchIn(['fleet', action, b.baseDir]);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^ERR_CLUTCH_FLEET: b is not connected to fleet test/);
    assert.match(stderr, /there is no connection to Redis: .*ECONNREFUSED/);
    assert.ok(stderr.includes(`config.fleet.url is ${server.url}`), stderr);
  }
});

test('clutch fleet without an action shows the machines of the app in the directory', async (t) => {
  const baseDir = writeApp(t, {
    'config/plugin.js': 'exports.fleet = true;',
    'config/config.default.js': "exports.keys = 'k'; exports.fleet = { member: 'alone' };",
  });
  await startTestCluster(t, { baseDir, workers: 1 });
  const { code, stdout } = await clutchIn(['fleet'], { cwd: baseDir });
  assert.equal(code, 0);
  assert.match(stdout, /^alone is connected to fleet /);
  assert.match((await clutchIn(['fleet', baseDir])).stdout, /^alone is connected to fleet /);
  assert.match(stdout, /^alone +(?:starting|ready) .* \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/m);
});

test('nats: clutch fleet status names the server when the connection is lost', { skip: SKIP.nats }, async (t) => {
  const server = await startServer(t, 'nats');
  const { baseDir } = await startMachine(t, 'a', { adapter: 'nats', url: server.url }, {}, { workers: 1 });
  assert.match((await clutchIn(['fleet', 'status', baseDir])).stdout, /a is connected/);
  await server.stop();
  const { code, stderr } = await until('it notices', async () => {
    const found = await clutchIn(['fleet', 'status', baseDir]);
    return found.stderr.includes('is not connected') && found;
  });
  assert.equal(code, 1);
  assert.match(stderr, /there is no connection to NATS/);
  assert.ok(stderr.includes(`config.fleet.url is ${server.url}`), stderr);
});

test('an Agent that can connect logs no warning at its start', { skip: SKIP.redis }, async (t) => {
  const server = await startServer(t, 'redis');
  const files = {
    'agent.js': "module.exports = (agent) => { agent.fleet.lead('reports', {}); };",
    'app/schedule/tick.js': "exports.schedule = { type: 'fleet', interval: '1s' }; exports.task = () => {};",
  };
  const { baseDir } = await startMachine(t, 'a', { adapter: 'redis', url: server.url }, files, { workers: 1 });
  await until('it leads', async () => {
    const { stdout } = await clutchIn(['fleet', 'status', '--json', baseDir]);
    return JSON.parse(stdout).leaders.reports === 'a';
  });
  await until('what came before is written', () =>
    readFileSync(path.join(baseDir, 'logs/egg-agent.log'), 'utf8').includes('a is connected'),
  );
  const logs = readdirSync(path.join(baseDir, 'logs')).filter((file) => file.endsWith('.log'));
  const lines = logs.flatMap((file) => readFileSync(path.join(baseDir, 'logs', file), 'utf8').split('\n'));
  assert.deepEqual(
    lines.filter((line) => /WARN|ERROR/.test(line)),
    [],
  );
});

for (const kind of ['redis', 'nats'] as const) {
  test(`${kind}: the log says which server cannot be reached, without its password, and what to do`, {
    skip: SKIP[kind],
  }, async (t) => {
    const url = `${kind}://user:hunter2@127.0.0.1:${await freePort()}`;
    const { baseDir } = await startMachine(t, 'a', { adapter: kind, url }, {}, { workers: 1 });
    const text = await until('it is written', () => {
      const written = readFileSync(path.join(baseDir, 'logs/egg-agent.log'), 'utf8');
      return written.includes('Start the server') && written;
    });
    const name = { redis: 'Redis', nats: 'NATS' }[kind];
    assert.match(text, new RegExp(`WARN .*there is no connection to ${name}: .*refused`, 'i'));
    assert.match(text, /config\.fleet\.url is \w+:\/\/\*\*\*@127\.0\.0\.1:\d+\n +Start the server, or correct/);
    assert.doesNotMatch(text, /hunter2/);
  });
}
