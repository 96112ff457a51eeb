import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import type { Seen } from '../../support/cluster_probe.js';

// What Clutch relies on in Node's cluster module, looked at in a real cluster of Node's own.

async function probe(): Promise<Seen> {
  const child = fork(new URL('../../support/cluster_probe.js', import.meta.url));
  const [seen] = (await once(child, 'message')) as [Seen];
  return seen;
}

test("Node's round robin listens with a server that can be intercepted, when a worker has asked for the address", async () => {
  const { queries, bound } = await probe();
  assert.equal(queries.length, 1);
  assert.deepEqual(bound, queries);
});

test('a worker takes a connection that is sent under the key of its query, and the reply names the number', async () => {
  const { replies, received } = await probe();
  assert.deepEqual(replies, [{ seq: -1, accepted: true }]);
  assert.equal(received, 'taken');
});

test('a worker reports the server that it has closed under the same key', async () => {
  const { queries, closed } = await probe();
  assert.deepEqual(closed, queries);
});
