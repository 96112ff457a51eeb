import type { Server, Socket } from 'node:net';
import { handleOf, onRedispatched } from '../listen/node_cluster.js';

/** Milliseconds in which the first byte of a redispatched connection must come. */
const FIRST_BYTE_TIMEOUT = 1000;

/**
 * Closes a connection that was sent to another worker before, when nothing comes on it: that worker may have read the
 * request before it ended, and the client would wait for a response that nobody writes.
 */
export function closeIfSilent(socket: Socket): void {
  const timer = setTimeout(() => {
    if (socket.bytesRead === 0) socket.destroy();
  }, FIRST_BYTE_TIMEOUT);
  socket.once('close', () => clearTimeout(timer));
}

const redispatched = new WeakSet<object>();
onRedispatched((handle) => void redispatched.add(handle));

/** Watches the connections that a server gets from the Master. */
export function watchRedispatched(server: Server): void {
  server.on('connection', (socket) => {
    const handle = handleOf(socket);
    if (handle && redispatched.delete(handle)) closeIfSilent(socket);
  });
}
