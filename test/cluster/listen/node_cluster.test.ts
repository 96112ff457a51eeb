import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { dispatchedConnection, isRoundRobinServer, listenHandleOf } from '../../../cluster/listen/node_cluster.js';

// What Clutch relies on in Node's cluster module, looked at in a real cluster of Node's own.

interface Seen {
  roundRobinServers: number;
  handles: number;
  dispatched: number[];
  replied: number[];
}

async function probe(): Promise<Seen> {
  const child = fork(new URL('../../support/cluster_probe.js', import.meta.url));
  const [seen] = (await once(child, 'message')) as [Seen];
  return seen;
}

test("Node's round robin listens with a server whose connection listener is named fail and whose handle is _handle", async () => {
  const { roundRobinServers, handles } = await probe();
  assert.equal(roundRobinServers, 1);
  assert.ok(handles >= 1);
});

test('Node gives a worker a connection in a message newconn with a number, and the reply names that number', async () => {
  const { dispatched, replied } = await probe();
  assert.equal(dispatched.length, 1);
  assert.ok(replied.includes(dispatched[0] as number));
});

test('where Node has none of it, nothing is taken for it', () => {
  const server = net.createServer();
  assert.equal(listenHandleOf(server), undefined);
  assert.equal(isRoundRobinServer([{ pauseOnConnect: true }, () => undefined]), false);
  for (const message of [undefined, null, 'newconn', { act: 'newconn', seq: 1 }, { cmd: 'NODE_CLUSTER', seq: 1 }]) {
    assert.equal(dispatchedConnection(message), undefined);
  }
});
