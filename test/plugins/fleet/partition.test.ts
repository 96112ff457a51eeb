import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { temporaryDirectory, until } from '../../support/apps.js';
import { SKIP, startMachine, startServer } from '../../support/fleet.js';

interface Proxy {
  port: number;
  set(change: { delay?: number; up?: boolean; down?: boolean }): void;
  close(): void;
}

/** The Agents send each other numbers, and note what they get and whether they lead. */
const AGENT = `
  module.exports = (agent) => {
    const { member, file } = agent.config.fleet;
    const note = (...what) => require('fs').appendFileSync(file, JSON.stringify([Date.now(), member, ...what]) + '\\n');
    const { fleet } = agent.messenger;
    fleet.on('number', ({ from, n }) => from !== member && note('got', n));
    let n = 0;
    agent.messenger.once('egg-ready', () => {
      const candidate = agent.fleet.lead('work', {});
      setInterval(() => candidate.isLeader && note('leads', candidate.token), 20);
      setInterval(() => fleet.sendToAgent('number', { from: member, n: ++n }), 50);
    });
  };`;

type Line = [at: number, member: string, what: 'got' | 'leads', value: number];

test('redis: a leader that is cut off stops before another one begins; messages flow again afterwards, also over a slow link', {
  skip: SKIP.redis,
}, async (t) => {
  const { startProxy } = (await import(pathToFileURL(path.resolve('bench/fleet/proxy.mjs')).href)) as {
    startProxy(port: number): Promise<Proxy>;
  };
  const file = path.join(temporaryDirectory(t), 'notes.txt');
  writeFileSync(file, '');
  const lines = (): Line[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Line);
  const server = await startServer(t, 'redis');
  const proxies = new Map<string, Proxy>();
  for (const name of ['a', 'b']) {
    const proxy = await startProxy(Number(new URL(server.url).port));
    proxies.set(name, proxy);
    const fleet = { adapter: 'redis', url: `redis://127.0.0.1:${proxy.port}`, lease: 2000, timeout: 1000, file };
    await startMachine(t, name, fleet, { 'agent.js': AGENT }, { workers: 1 });
    t.after(() => proxy.close());
  }
  /** Waits until each machine has got ten more numbers of the other one. */
  const flow = async (when: string): Promise<void> => {
    const counts = (): number[] =>
      ['a', 'b'].map((name) => lines().filter(([, member, what]) => member === name && what === 'got').length);
    const before = counts();
    await until(
      `messages flow ${when}`,
      () => counts().every((count, index) => count >= (before[index] ?? 0) + 10),
      30_000,
    );
  };
  await flow('at first');
  const leader = (): string => lines().findLast(([, , what]) => what === 'leads')?.[1] ?? '';
  const first = await until('one leads', leader);

  proxies.get(first)?.set({ up: false, down: false });
  await until('the other one leads', () => leader() !== first && leader(), 30_000);
  proxies.get(first)?.set({ up: true, down: true });
  await flow('after the partition');

  for (const proxy of proxies.values()) proxy.set({ delay: 200 });
  await flow('over the slow link');

  const terms = lines().filter(([, , what]) => what === 'leads');
  const tokens = terms.map(([, , , token]) => token);
  assert.deepEqual(
    tokens,
    tokens.toSorted((a, b) => a - b),
    'the old leader has led after the next one had begun',
  );
  for (const name of ['a', 'b']) {
    const numbers = lines().flatMap(([, member, what, n]) => (member === name && what === 'got' ? n : []));
    for (const [index, n] of numbers.entries()) {
      assert.ok(index === 0 || n > (numbers[index - 1] as number), `${name} got ${n} after ${numbers[index - 1]}`);
    }
  }
});
