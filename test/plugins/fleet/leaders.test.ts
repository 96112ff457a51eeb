import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryDirectory, until } from '../../support/apps.js';
import { SKIP, startMachine, startServer, type TestMachine } from '../../support/fleet.js';

const LEASE = 2000;

/** Every election and loss, and fifty times a second what the candidacy says, in one file for all machines. */
const FILES = {
  'agent.js': `
    const { appendFileSync } = require('fs');
    module.exports = (agent) => {
      const { member, file } = agent.config.fleet;
      const note = (...what) => appendFileSync(file, JSON.stringify([Date.now(), member, ...what]) + '\\n');
      agent.messenger.once('egg-ready', () => {
        const candidate = agent.fleet.lead('work', {
          onElected: (token) => note('elected', token),
          onLost: (reason) => note('lost', reason),
        });
        setInterval(() => candidate.isLeader && note('leads', candidate.token), 20);
      });
    };`,
};

type Line = [at: number, member: string, what: string, value: number | string];

interface TestFleet {
  server: Awaited<ReturnType<typeof startServer>>;
  machines: Map<string, TestMachine>;
  lines(): Line[];
  /** @returns the name of the machine that leads, and the fencing token; waits until it is another one than `before` */
  leader(before?: string): Promise<{ name: string; token: number; at: number }>;
}

async function fleetOf(t: TestContext, kind: 'redis' | 'nats', names: string[]): Promise<TestFleet> {
  const file = path.join(temporaryDirectory(t), 'leads.txt');
  writeFileSync(file, '');
  const server = await startServer(t, kind);
  const machines = new Map<string, TestMachine>();
  const fleet = { adapter: kind, url: server.url, lease: LEASE, timeout: 500, file };
  for (const name of names) machines.set(name, await startMachine(t, name, fleet, FILES, { workers: 1 }));
  const lines = (): Line[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Line);
  const leader: TestFleet['leader'] = async (before) => {
    const line = await until(
      'there is another leader',
      () => {
        const last = lines().at(-1);
        return last && last[2] === 'leads' && last[1] !== before && last;
      },
      30_000,
    );
    return { name: line[1], token: Number(line[3]), at: line[0] };
  };
  return { server, machines, lines, leader };
}

/** No two machines have led at one time, and tokens have grown. */
function assertOneLeader(lines: Line[]): void {
  const terms = new Map<number, { member: string; from: number; to: number }>();
  for (const [at, member, what, value] of lines) {
    if (what !== 'leads') continue;
    const term = terms.get(Number(value)) ?? { member, from: at, to: at };
    assert.equal(term.member, member, `token ${value} is of one machine`);
    terms.set(Number(value), { ...term, to: at });
  }
  const sorted = [...terms].sort(([a], [b]) => a - b);
  for (const [index, [token, term]] of sorted.entries()) {
    const next = sorted[index + 1];
    if (next)
      assert.ok(
        next[1].from > term.to,
        `${term.member} with ${token} led until ${term.to}, the next from ${next[1].from}`,
      );
  }
}

for (const kind of ['redis', 'nats'] as const) {
  test(`${kind}: when the machine that leads is killed, another one leads within two leases`, {
    skip: SKIP[kind],
  }, async (t) => {
    const { machines, lines, leader } = await fleetOf(t, kind, ['a', 'b', 'c']);
    const first = await leader();
    const { master, agent } = await (machines.get(first.name) as TestMachine).cluster.pids();
    const killedAt = Date.now();
    for (const pid of [master, agent as number]) process.kill(pid, 'SIGKILL');
    const second = await leader(first.name);
    t.diagnostic(`${second.at - killedAt} ms without a leader, with a lease of ${LEASE} ms`);
    assert.ok(second.at - killedAt <= 2 * LEASE, `${second.at - killedAt} ms`);
    assert.ok(second.token > first.token);
    assertOneLeader(lines());
  });
}

test('redis: an Agent that stands still for longer than its lease has lost it when it goes on', {
  skip: SKIP.redis,
}, async (t) => {
  const { machines, lines, leader } = await fleetOf(t, 'redis', ['a', 'b']);
  const first = await leader();
  const { agent } = await (machines.get(first.name) as TestMachine).cluster.pids();
  process.kill(agent as number, 'SIGSTOP');
  const second = await leader(first.name);
  process.kill(agent as number, 'SIGCONT');
  await until('it notices', () => lines().some(([, member, what]) => member === first.name && what === 'lost'));
  assert.ok(second.token > first.token);
  assertOneLeader(lines());
});

test('redis: without the server nobody leads; afterwards one machine does', { skip: SKIP.redis }, async (t) => {
  const { server, lines, leader } = await fleetOf(t, 'redis', ['a', 'b']);
  const first = await leader();
  await server.stop();
  await until('it has given up', () => lines().some(([, , what, reason]) => what === 'lost' && reason === 'expired'));
  const lost = lines().findLast(([, , what]) => what === 'lost') as Line;
  assert.ok(!lines().some(([at, , what]) => what === 'leads' && at > lost[0]));
  await server.start();
  await until('one leads again', () => lines().some(([at, , what]) => what === 'leads' && at > lost[0]), 20_000);
  assert.ok((await leader()).token > first.token);
  assertOneLeader(lines());
});

test('redis: a machine that is stopped resigns, so that another one leads at once', { skip: SKIP.redis }, async (t) => {
  const { machines, lines, leader } = await fleetOf(t, 'redis', ['a', 'b']);
  const first = await leader();
  await (machines.get(first.name) as TestMachine).cluster.stop();
  const lost = lines().find(([, member, what]) => member === first.name && what === 'lost');
  assert.equal(lost?.[3], 'resigned');
  const second = await leader(first.name);
  const gap = second.at - (lost?.[0] ?? 0);
  assert.ok(gap < LEASE, `${gap} ms`);
});
