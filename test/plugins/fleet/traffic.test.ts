import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Redis } from 'ioredis';
import { ROOT } from '../../support/apps.js';
import { SKIP, startMachine, startServer } from '../../support/fleet.js';

const LEASE = 2;
const MACHINES = 5;
const SECONDS = 6;

/** @returns how often scripts and reads were called, and the connections besides the one that asks */
async function count(redis: Redis): Promise<{ calls: number; connections: number }> {
  const stats = await redis.info('commandstats');
  const calls = [...stats.matchAll(/cmdstat_(?:eval|hmget):calls=(\d+)/g)].reduce(
    (sum, [, value]) => sum + Number(value),
    0,
  );
  const connections = Number(/connected_clients:(\d+)/.exec(await redis.info('clients'))?.[1]) - 1;
  return { calls, connections };
}

test('docs/fleet.md: the traffic of five machines is what bench/fleet_model.mjs says', {
  skip: SKIP.redis,
}, async (t) => {
  const server = await startServer(t, 'redis');
  const files = { 'agent.js': "module.exports = (agent) => { agent.fleet.lead('work', {}); };" };
  for (let index = 0; index < MACHINES; index++) {
    const fleet = { adapter: 'redis', url: server.url, lease: LEASE * 1000 };
    await startMachine(t, `m${index}`, fleet, files, { workers: 1 });
  }
  const redis = new Redis(server.url);
  // The server is stopped before it.
  redis.on('error', () => {});
  t.after(() => redis.disconnect());
  const before = await count(redis);
  // A rate needs time to pass.
  await sleep(SECONDS * 1000);
  const after = await count(redis);
  const model = (await import(pathToFileURL(path.join(ROOT, 'bench/fleet_model.mjs')).href)) as {
    simulate(fleet: object): { callsPerSecond: number; connections: number };
  };
  const expected = model.simulate({ machines: MACHINES, lease: LEASE, leaderships: 1, seconds: 600 });
  assert.equal(after.connections, expected.connections);
  // A write is one script, a read one HMGET.
  const measured = (after.calls - before.calls) / SECONDS;
  t.diagnostic(`${measured.toFixed(1)} calls a second; the model has ${expected.callsPerSecond.toFixed(1)}`);
  assert.ok(measured < 1.3 * expected.callsPerSecond, `${measured} calls a second`);
  assert.ok(measured > 0.5 * expected.callsPerSecond, `${measured} calls a second`);
});
