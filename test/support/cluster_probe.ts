import type { SendHandle } from 'node:child_process';
import cluster from 'node:cluster';
import { once } from 'node:events';
import net from 'node:net';
import { interceptListening, newConnection, watchWorker } from '../../cluster/listen/node_cluster.js';

/** What the Master has seen of a worker, by the names in cluster/listen/node_cluster.ts. */
export interface Seen {
  queries: string[];
  bound: string[];
  closed: string[];
  replies: { seq: number; accepted: boolean }[];
  /** What the client got. */
  received: string;
}

// Runs Node's own cluster with one worker and one connection, and reports to its parent what the Master saw of it.
if (cluster.isPrimary) {
  const seen: Seen = { queries: [], bound: [], closed: [], replies: [], received: '' };
  cluster.setupPrimary({ serialization: 'advanced' });
  const { process: child } = cluster.fork();
  interceptListening({
    onListen: () => ({
      onBound: (handle) => {
        const key = seen.queries.at(-1) as string;
        seen.bound.push(key);
        process.nextTick(() => {
          handle.onconnection = (_status, connection) =>
            void child.send(newConnection(key, -1, false), connection as SendHandle);
        });
      },
    }),
  });
  watchWorker(child, {
    onQuery: (key) => void seen.queries.push(key),
    onClosed: (key) => void seen.closed.push(key),
    onReply: (seq, accepted) => void seen.replies.push({ seq, accepted }),
  });
  const [, address] = (await once(cluster, 'listening')) as [unknown, net.AddressInfo];
  const socket = net.connect(address.port, '127.0.0.1');
  socket.on('data', (chunk) => {
    seen.received += String(chunk);
  });
  await Promise.all([once(socket, 'close'), once(cluster, 'disconnect')]);
  process.send?.(seen, () => process.exit());
} else {
  const server = net.createServer((socket) => {
    socket.end('taken');
    server.close();
    socket.once('close', () => process.disconnect());
  });
  server.listen(Number(process.env['PORT']), '127.0.0.1');
}
