import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { readDeaths } from '../../../cluster/deaths/death_file.js';
import { memoryRoom } from '../../../cluster/options/memory_room.js';
import { parseClusterOptions } from '../../../cluster/options/options.js';
import { type SizeSample, Sizing } from '../../../cluster/supervise/sizing.js';
import { fixture, startTestCluster, temporaryDirectory, until } from '../../support/apps.js';
import { request } from '../../support/http.js';
import { writeApp } from '../../support/loaded_app.js';

const MINUTE = 60_000;
const MIB = 1024 * 1024;
const range = { min: 2, max: 4, growAfter: MINUTE, shrinkAfter: 5 * MINUTE };
const sample = (more: Partial<SizeSample>): SizeSample => ({
  workers: 3,
  utilisation: 0.6,
  rss: 100 * MIB,
  memory: { used: 400 * MIB, limit: 1000 * MIB },
  ...more,
});

test('one worker more when event loops are busy for long, and the time begins anew', () => {
  const sizing = new Sizing(range);
  const busy = sample({ utilisation: 0.9 });
  assert.equal(sizing.decide(busy, 0), undefined);
  assert.equal(sizing.decide(busy, MINUTE - 1), undefined);
  assert.deepEqual(sizing.decide(busy, MINUTE), { workers: 4, reason: 'for 60 s event loops are used to 90 %' });
  assert.equal(sizing.decide(busy, MINUTE + 1), undefined);
  assert.equal(sizing.decide(sample({ utilisation: 0.9, workers: 4 }), 9 * MINUTE), undefined, 'never above max');
});

test('a peak begins the time anew', () => {
  const sizing = new Sizing(range);
  sizing.decide(sample({ utilisation: 0.9 }), 0);
  sizing.decide(sample({ utilisation: 0.6 }), MINUTE - 1);
  assert.equal(sizing.decide(sample({ utilisation: 0.9 }), MINUTE), undefined);
});

test('one worker less when the others would be idle still, never below min', () => {
  const sizing = new Sizing(range);
  const idle = sample({ utilisation: 0.3 });
  assert.equal(sizing.decide(idle, 0), undefined);
  assert.equal(sizing.decide(idle, 5 * MINUTE)?.workers, 2);
  assert.equal(sizing.decide(sample({ utilisation: 0.35 }), 6 * MINUTE), undefined);
  assert.equal(sizing.decide(sample({ utilisation: 0.35 }), 60 * MINUTE), undefined, 'two would be used to 52 %');
  const least = new Sizing(range);
  least.decide(sample({ utilisation: 0, workers: 2 }), 0);
  assert.equal(least.decide(sample({ utilisation: 0, workers: 2 }), 60 * MINUTE), undefined);
});

test('no worker more without memory for it, and one less when memory is scarce', () => {
  const sizing = new Sizing(range);
  const full = sample({ utilisation: 0.9, memory: { used: 850 * MIB, limit: 1000 * MIB } });
  sizing.decide(full, 0);
  const stays = sizing.decide(full, MINUTE);
  assert.equal(stays?.workers, 3);
  assert.match(stays?.reason as string, /but there is no memory for one more: 850 of 1000 MiB are used/);
  const scarce = sample({ utilisation: 0.9, memory: { used: 960 * MIB, limit: 1000 * MIB } });
  sizing.decide(scarce, 2 * MINUTE);
  assert.deepEqual(sizing.decide(scarce, 3 * MINUTE), {
    workers: 2,
    reason: 'memory is scarce: 960 of 1000 MiB are used',
  });
});

test('memory is that of the control group, without files that can be dropped, or of the machine', (t) => {
  const root = temporaryDirectory(t);
  const isV2 = /^0::/m.test(readFileSync('/proc/self/cgroup', 'utf8'));
  const dir = isV2 ? root : path.join(root, 'memory');
  mkdirSync(dir, { recursive: true });
  const write = (v2: string, v1: string, text: string): void => writeFileSync(path.join(dir, isV2 ? v2 : v1), text);
  assert.equal(memoryRoom(root).limit, totalmem());
  write('memory.max', 'memory.limit_in_bytes', `${64 * MIB}\n`);
  write('memory.current', 'memory.usage_in_bytes', `${48 * MIB}\n`);
  write('memory.stat', 'memory.stat', `anon 1\n${isV2 ? '' : 'total_'}inactive_file ${8 * MIB}\n`);
  assert.deepEqual(memoryRoom(root), { used: 40 * MIB, limit: 64 * MIB });
  write('memory.max', 'memory.limit_in_bytes', isV2 ? 'max\n' : '9223372036854771712\n');
  assert.equal(memoryRoom(root).limit, totalmem());
});

test('the option is a number or a range', () => {
  const parsed = (workers: unknown) => {
    const { workers: first, sizing } = parseClusterOptions({ baseDir: fixture('faulty'), workers: workers as string });
    return [first, sizing?.min, sizing?.max, sizing?.growAfter];
  };
  assert.deepEqual(parsed('2-8'), [2, 2, 8, MINUTE]);
  assert.deepEqual(parsed('2:8'), [2, 2, 8, MINUTE]);
  assert.deepEqual(parsed({ min: 1, max: 3, growAfter: 5 }), [1, 1, 3, 5]);
  assert.deepEqual(parsed(3), [3, undefined, undefined, undefined]);
  assert.deepEqual(parsed('3-3'), [3, undefined, undefined, undefined]);
});

test('a cluster grows when its event loops are busy, and shrinks when they are idle', async (t) => {
  const dir = writeApp(t, {
    'app/router.js': `module.exports = ({ router }) => {
      let timer;
      router.get('/', (ctx) => { ctx.body = 'ok'; });
      router.get('/busy', (ctx) => {
        timer = setInterval(() => { const end = Date.now() + 100; while (Date.now() < end); }, 1);
        ctx.body = '';
      });
      router.get('/idle', (ctx) => { clearInterval(timer); ctx.body = ''; });
    };`,
  });
  const workers = { min: 1, max: 2, growAfter: 1000, shrinkAfter: 2000 };
  const cluster = await startTestCluster(t, { baseDir: dir, workers });
  const [first] = (await cluster.pids()).workers as [number];
  await request(`${cluster.url}/busy`);
  await until('there are two', async () => (await cluster.pids()).workers.length === 2, 30_000);
  assert.match(cluster.output(), /2 app workers are needed: for \d+ s event loops are used to \d+ %/);
  for (let count = 0; count < 4; count += 1) await request(`${cluster.url}/idle`);
  await until('there is one', async () => (await cluster.status()).processes.length === 3, 30_000);
  assert.deepEqual((await cluster.pids()).workers, [first]);
  const death = await until('the death is recorded', () => readDeaths(dir).find(({ reason }) => reason === 'size'));
  assert.equal(death.by, 'sizing');
  assert.match(death.text, /1 app workers are needed: for \d+ s event loops are used to \d+ %/);
  await cluster.scale(2);
  assert.match(cluster.output(), /the number of app workers is given; it no longer follows the need/);
});
