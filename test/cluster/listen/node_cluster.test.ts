import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import type { Seen } from '../../support/cluster_probe.js';
import { freePort } from '../../support/http.js';

// What Clutch relies on in Node's cluster module, looked at in a real cluster of Node's own.

/** @param port the keys of a port that the system chooses are of a form of their own */
async function probe(port: number): Promise<Seen> {
  const env = { ...process.env, PORT: String(port) };
  const child = fork(new URL('../../support/cluster_probe.js', import.meta.url), { env });
  const [seen] = (await once(child, 'message')) as [Seen];
  return seen;
}

for (const [which, port] of [
  ['any', 0],
  ['a fixed', await freePort()],
] as const) {
  test(`Node's round robin listens with a server that can be intercepted, when a worker has asked for the address (${which} port)`, async () => {
    const { queries, bound } = await probe(port);
    assert.equal(queries.length, 1);
    assert.deepEqual(bound, queries);
  });

  test(`a worker takes a connection that is sent under the key of its query, and the reply names the number (${which} port)`, async () => {
    const { replies, received } = await probe(port);
    assert.deepEqual(replies, [{ seq: -1, accepted: true }]);
    assert.equal(received, 'taken');
  });

  test(`a worker reports the server that it has closed under the same key (${which} port)`, async () => {
    const { queries, closed } = await probe(port);
    assert.deepEqual(closed, queries);
  });
}
