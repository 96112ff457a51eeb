import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { OomKills } from '../../../cluster/deaths/oom_kills.js';
import { temporaryDirectory } from '../../support/apps.js';

/** @returns a function that sets the counter in a file system like that of control groups */
function counter(t: TestContext, file: string): { root: string; set(count: number): void } {
  const root = temporaryDirectory(t);
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  const set = (count: number): void => writeFileSync(path.join(root, file), `oom 7\noom_kill ${count}\n`);
  set(3);
  return { root, set };
}

const isV2 = /^0::/m.test(readFileSync('/proc/self/cgroup', 'utf8'));
const file = isV2 ? 'memory.events' : 'memory/memory.oom_control';

test('each kill that the control group has counted is taken once', (t) => {
  const { root, set } = counter(t, file);
  const kills = new OomKills(root);
  assert.equal(kills.take(), false);
  set(5);
  assert.deepEqual([kills.take(), kills.take(), kills.take()], [true, true, false]);
});

test('a kill that no process of the cluster died of is forgotten after two heartbeats', (t) => {
  const { root, set } = counter(t, file);
  const kills = new OomKills(root);
  set(4);
  kills.tick();
  assert.equal(kills.take(), true);
  set(5);
  kills.tick();
  kills.tick();
  assert.equal(kills.take(), false);
});

test('without a counter no kill is the kernel’s', (t) => {
  const kills = new OomKills(temporaryDirectory(t));
  kills.tick();
  assert.equal(kills.take(), false);
});
