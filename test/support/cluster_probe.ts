import cluster from 'node:cluster';
import { once } from 'node:events';
import net from 'node:net';
import {
  dispatchedConnection,
  isRoundRobinServer,
  listenHandleOf,
  onInternalReply,
} from '../../cluster/listen/node_cluster.js';

// Runs Node's own cluster with one worker and one connection, and reports to its parent what the Master saw of it.
if (cluster.isPrimary) {
  const seen = { roundRobinServers: 0, handles: 0, dispatched: [] as number[], replied: [] as number[] };
  const create = net.createServer as (...args: unknown[]) => net.Server;
  net.createServer = ((...args: unknown[]) => {
    const server = create(...args);
    if (isRoundRobinServer(args)) seen.roundRobinServers += 1;
    server.once('listening', () => {
      if (listenHandleOf(server)) seen.handles += 1;
    });
    return server;
  }) as typeof net.createServer;
  cluster.setupPrimary({ serialization: 'advanced' });
  const worker = cluster.fork();
  const { process: child } = worker;
  const send = child.send.bind(child) as (...args: unknown[]) => boolean;
  child.send = (message: unknown, ...rest: unknown[]): boolean => {
    const seq = dispatchedConnection(message);
    if (seq !== undefined) seen.dispatched.push(seq);
    return send(message, ...rest);
  };
  onInternalReply(child, (seq) => seen.replied.push(seq));
  const [, address] = (await once(cluster, 'listening')) as [unknown, net.AddressInfo];
  await once(net.connect(address.port, '127.0.0.1').resume(), 'close');
  process.send?.(seen, () => process.exit());
} else {
  net.createServer((socket) => socket.end('taken')).listen(0, '127.0.0.1');
}
