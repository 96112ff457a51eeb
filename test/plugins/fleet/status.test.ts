import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { CLI, until } from '../../support/apps.js';
import { SKIP, startMachine, startServer } from '../../support/fleet.js';

interface Report {
  connected: boolean;
  members: { id: string; state: string; version: string; workers: string[] }[];
  leaders: Record<string, string>;
}

const clutch = promisify(execFile);

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
  assert.equal(
    (
      await until('it notices', async () => {
        const found = await report(b.baseDir).catch(() => undefined);
        return found && !found.connected && found;
      })
    ).connected,
    false,
  );
});
