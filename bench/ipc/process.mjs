// One process of the comparison: the Leader, or a Follower that is told over IPC what to measure.
// `place` is the port of cluster-client, or the pid of Clutch's Leader.
import os from 'node:os';
import { requirePeer } from '../peers.mjs';
import { echoClient } from './client.mjs';
import { measureInvokes } from './measure.mjs';

const [kind, role, peers, place] = process.argv.slice(2);
const sdkBase = requirePeer(peers, 'sdk-base');
const EchoClient = echoClient(sdkBase.Base ?? sdkBase);

async function createClient() {
  if (kind === 'cluster-client') {
    const cluster = requirePeer(peers, 'cluster-client');
    return cluster(EchoClient, { port: Number(place), isLeader: role === 'leader', responseTimeout: 60_000 }).create(
      {},
    );
  }
  // What `app.cluster` uses, without an app around it.
  const { clusterClientsOf } = await import('../../dist/leader/clients_of.js');
  const leader = { token: 'bench', dir: os.tmpdir(), master: process.ppid, agent: Number(place) || undefined };
  const type = role === 'leader' ? 'agent' : 'application';
  const clients = clusterClientsOf({ type, config: { clusterClient: {} }, options: { leader } }, console.error);
  return clients.builder(EchoClient).create();
}

const client = await createClient();
await client.ready();
let got = 0;
let wanted = Infinity;
if (role === 'follower') {
  client.subscribe({ key: 'value' }, () => {
    got += 1;
    if (got === wanted) process.send({ received: true, cpu: process.cpuUsage() });
  });
}

process.on('message', async ({ invoke, publish, expect, cpu }) => {
  if (cpu) process.send({ cpu: process.cpuUsage() });
  if (expect !== undefined) {
    got = 0;
    wanted = expect;
    process.send({ expecting: true });
  }
  if (invoke)
    process.send({ invoked: await measureInvokes((value) => client.echo(value), invoke), cpu: process.cpuUsage() });
  if (publish) {
    const value = 'x'.repeat(publish.size);
    let left = publish.count;
    const some = () => {
      for (let index = Math.min(left, 500); index > 0; index -= 1) client.publish({ key: 'value', value });
      left -= 500;
      if (left > 0) setImmediate(some);
    };
    some();
  }
});
process.send({ ready: true });
process.on('disconnect', () => process.exit());
