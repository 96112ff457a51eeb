import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { NatsAdapter } from '../../../plugins/fleet/lazy/nats.js';
import { RedisAdapter } from '../../../plugins/fleet/lazy/redis.js';
import type { FleetAdapter } from '../../../plugins/fleet/lib/adapter/adapter.js';
import { MemoryAdapter } from '../../../plugins/fleet/lib/adapter/memory.js';
import { type Slice, takeHits } from '../../../plugins/fleet/lib/adapter/rate_window.js';
import { ROOT, until } from '../../support/apps.js';
import { SKIP, startServer } from '../../support/fleet.js';

test('no window has more hits than the limit, wherever it begins; after a twentieth more a hit counts no longer', () => {
  const window = 1000;
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 1, max: 8 })), { maxLength: 60 }), (steps) => {
      const limit = 10;
      let now = 1_000_000;
      let slices: Slice[] = [];
      const granted: number[] = [];
      for (const [delay, count] of steps) {
        now += delay;
        const recent = granted.filter((at) => now - at <= window * 1.05);
        const taken = takeHits(slices, { count, limit, window }, now);
        slices = taken.slices;
        for (let index = 0; index < taken.granted; index++) granted.push(now);
        assert.ok(granted.filter((at) => now - at <= window).length <= limit);
        assert.ok(taken.granted >= Math.min(count, limit - recent.length), 'it is refused only when it must be');
        assert.ok(slices.length <= 21);
        if (taken.granted < count) {
          const later = takeHits(slices, { count: 1, limit, window }, now + taken.wait);
          assert.equal(later.granted, 1, 'after the wait one is granted');
        }
      }
    }),
  );
});

for (const kind of ['memory', 'redis', 'nats'] as const) {
  test(`${kind}: hits of five machines on one key are counted together`, {
    skip: kind === 'memory' ? false : SKIP[kind],
  }, async (t) => {
    const server = kind === 'memory' ? undefined : await startServer(t, kind);
    const Class = { memory: MemoryAdapter, redis: RedisAdapter, nats: NatsAdapter }[kind];
    const machines: FleetAdapter[] = [];
    for (let index = 0; index < 5; index++) {
      const options = { name: `rate-${kind}`, url: server?.url, client: {}, timeout: 2000, baseDir: ROOT };
      const adapter = new Class(options);
      t.after(() => adapter.close());
      adapter.connect();
      machines.push(adapter);
    }
    await until('all are connected', () => machines.every(({ connected }) => connected));
    const ask = { count: 3, limit: 20, window: 2000 };
    const granted = async (): Promise<number> => {
      const all = await Promise.all([...machines, ...machines].map((machine) => machine.take('an address', ask)));
      return all.reduce((sum, taken) => sum + taken.granted, 0);
    };
    const begin = Date.now();
    const grants = [{ at: Date.now(), count: await granted() }];
    assert.equal(grants[0]?.count, 20, '30 were asked for');
    while (Date.now() - begin < 5000) {
      await sleep(100);
      const count = await granted();
      grants.push({ at: Date.now(), count });
      const recent = grants.filter(({ at }) => Date.now() - at < 1900);
      assert.ok(recent.reduce((sum, each) => sum + each.count, 0) <= 20);
    }
    assert.ok(grants.reduce((sum, { count }) => sum + count, 0) >= 40, 'the window slides');
    const values = (machines[0] as FleetAdapter).values('sessions');
    const theirs = (machines[1] as FleetAdapter).values('sessions');
    await values.set('a:key with spaces', '{"a":"ü b"}', 1000);
    assert.equal(await theirs.get('a:key with spaces'), '{"a":"ü b"}');
    await until('it has expired', async () => (await theirs.get('a:key with spaces')) === undefined);
    await values.set('b', '1', 60_000);
    await theirs.remove('b');
    assert.equal(await values.get('b'), undefined);
  });
}
