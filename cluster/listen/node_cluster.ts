import type { ChildProcess } from 'node:child_process';
import type { EventEmitter } from 'node:events';
import net from 'node:net';

// The private members and messages of Node's cluster module that this package relies on. No other file names them, and
// test/cluster/listen/node_cluster.test.ts checks each in a real cluster of Node's own:
// - a worker asks `{ cmd: 'NODE_CLUSTER', act: 'queryServer', seq, address, port, addressType, fd, index }` before it listens,
//   and the Master replies `{ ack: seq, key }` by `child.send`;
// - for a new address the Master then makes a server with `net.createServer(fail)` and takes `_handle` from it on `listening`;
// - a connection is sent as `{ act: 'newconn', key, seq }` with its handle, and replied to with `{ ack, accepted }`;
// - a closed server is reported as `{ act: 'close', key }`;
// - without the round robin it opens the socket with `net._createServerHandle(address, port, addressType, fd, flags)`.
// Where Node does not ask like this or makes no such server, nothing is intercepted and connections take Node's own way:
// refused while no worker is there, lost with a worker that has not taken them.

/** A connection that the Master has accepted. */
export interface ConnectionHandle {
  close(): void;
}

/** The handle of a listening socket. */
export interface ListenHandle {
  /** Below 0 when it is closed; undefined on Windows. */
  readonly fd?: number;
  close(callback?: () => void): void;
  onconnection: (status: number, connection: ConnectionHandle) => void;
}

/** What a worker reports about its servers and the connections that were sent to it. */
export interface WorkerReports {
  /** It wants to listen; Node's own handling follows in the same tick. The port is below 0 for the path of a unix socket. */
  onQuery(key: string, address: string, port: number): void;
  /** It has closed its server on an address. */
  onClosed(key: string): void;
  /** It has taken a connection, or refused it because it no longer listens or has `maxConnections`. */
  onReply(seq: number, accepted: boolean): void;
}

interface InternalMessage {
  cmd?: unknown;
  act?: unknown;
  key?: unknown;
  ack?: unknown;
  accepted?: unknown;
  redispatched?: unknown;
  address?: unknown;
  port?: unknown;
  addressType?: unknown;
  fd?: unknown;
  index?: unknown;
  seq?: unknown;
}

/**
 * Node's keys of the addresses, by our own. Node 20 appends the number of the worker's server on the address to each key,
 * later versions only if the system chooses the port; only the reply to a worker tells.
 */
const nodeKeys = new Map<string, string>();
/** Whether Node appends the number to each key; unknown until the first reply. */
let numbersAllKeys = false;

function keyOf({ address, port, addressType, fd, index }: InternalMessage): string {
  const plain = `${address}:${port}:${addressType}:${fd}`;
  return port === 0 || (numbersAllKeys && index !== 0) ? `${plain}:${index}` : plain;
}

/** Learns Node's keys from the replies that the Master sends to a worker. */
function watchReplies(child: ChildProcess, queries: Map<unknown, string>): void {
  // A process that could not be started has no channel.
  if (!child.connected) return;
  const send = child.send.bind(child) as (...args: unknown[]) => boolean;
  child.send = (message: InternalMessage, ...rest: unknown[]): boolean => {
    const key = queries.get(message?.ack);
    if (key !== undefined && message.cmd === 'NODE_CLUSTER' && typeof message.key === 'string') {
      queries.delete(message.ack);
      nodeKeys.set(key, message.key);
      if (message.key === `${key}:0`) numbersAllKeys = true;
    }
    return send(message, ...rest);
  };
}

function ownKey(nodeKey: string): string {
  for (const [key, value] of nodeKeys) if (value === nodeKey) return key;
  return nodeKey;
}

/** Reports what a worker says about its servers, before Node's own listener acts on it. */
export function watchWorker(child: ChildProcess, reports: WorkerReports): void {
  const queries = new Map<unknown, string>();
  watchReplies(child, queries);
  child.prependListener('internalMessage', (message: InternalMessage) => {
    const { cmd, act, key, ack, accepted } = message;
    if (cmd !== 'NODE_CLUSTER') return;
    if (act === 'queryServer') {
      const { address, port, index, seq } = message;
      if (typeof index !== 'number' || typeof port !== 'number') return;
      const query = keyOf(message);
      queries.set(seq, query);
      reports.onQuery(query, typeof address === 'string' ? address : '', port);
    } else if (act === 'close' && typeof key === 'string') reports.onClosed(ownKey(key));
    else if (typeof ack === 'number' && typeof accepted === 'boolean') reports.onReply(ack, accepted);
  });
}

/** Calls `listener` when the handle that was sent last did not arrive: the worker has no file descriptor left. */
export function onNotReceived(child: ChildProcess, listener: () => void): void {
  child.prependListener('internalMessage', ({ cmd }: InternalMessage) => {
    if (cmd === 'NODE_HANDLE_NACK') listener();
  });
}

/**
 * The message that gives a connection to a worker.
 *
 * @param seq names it in the reply; below 0, so that it is none of Node's own
 */
export function newConnection(key: string, seq: number, redispatched: boolean): object {
  return { cmd: 'NODE_CLUSTER', act: 'newconn', key: nodeKeys.get(key) ?? key, seq, redispatched };
}

/** Calls `listener` in a worker with the handle of each connection that another worker may have read from. */
export function onRedispatched(listener: (handle: object) => void): void {
  const emitter: EventEmitter = process;
  emitter.prependListener('internalMessage', ({ redispatched }: InternalMessage, handle?: object) => {
    if (handle && redispatched === true) listener(handle);
  });
}

/** Has the caller take over a listening socket that Node's cluster module opens in the Master. */
export interface ListenInterceptor {
  /** @returns a socket that is open already, to be used instead of a new one: a handle, or a descriptor that has none yet */
  onListen():
    | { reuse?: ListenHandle | undefined; fd?: number | undefined; onBound(handle: ListenHandle): void }
    | undefined;
}

/** @returns a function that stops intercepting */
export function interceptListening({ onListen }: ListenInterceptor): () => void {
  const { createServer } = net;
  const create = createServer as (...args: unknown[]) => net.Server;
  net.createServer = ((...args: unknown[]) => {
    const server = create(...args);
    // The round robin never accepts by itself: its connection listener is `assert.fail`.
    const [listener] = args;
    if (typeof listener === 'function' && listener.name === 'fail') interceptListen(server, onListen);
    return server;
  }) as typeof createServer;
  return () => {
    net.createServer = createServer;
  };
}

/** Has the caller keep the sockets that workers share, which Node's cluster module opens in the Master and closes with the last worker. */
export interface SharedInterceptor {
  /** @returns a socket that is open already, to be used instead of a new one */
  onListen(address: string, port: number): { reuse?: ListenHandle | undefined; fd?: number | undefined };
  onBound(address: string, port: number, handle: ListenHandle): void;
}

type CreateServerHandle = (
  address: string | null,
  port: number | null,
  addressType: number,
  fd?: number,
  flags?: number,
) => ListenHandle | number;

/** @returns a function that stops intercepting */
export function interceptShared({ onListen, onBound }: SharedInterceptor): () => void {
  const internals = net as unknown as { _createServerHandle?: CreateServerHandle };
  const create = internals._createServerHandle;
  if (typeof create !== 'function') return () => undefined;
  internals._createServerHandle = (address, port, addressType, fd, flags) => {
    if (typeof port !== 'number' || port === 0) return create(address, port, addressType, fd, flags);
    const { reuse, fd: inherited } = onListen(address ?? '', port);
    if (reuse) return reuse;
    const handle =
      inherited === undefined
        ? create(address, port, addressType, fd, flags)
        : create(null, null, addressType, inherited, flags);
    if (typeof handle === 'object') onBound(address ?? '', port, handle);
    return handle;
  };
  return () => {
    internals._createServerHandle = create;
  };
}

interface ServerInternals {
  _handle?: Partial<ListenHandle> | null;
}

function interceptListen(server: net.Server, onListen: ListenInterceptor['onListen']): void {
  const listen = server.listen.bind(server) as (...args: unknown[]) => net.Server;
  const internals = server as ServerInternals;
  const listenOrReuse = (...args: unknown[]): net.Server => {
    const found = onListen();
    if (!found) return listen(...args);
    // Ahead of the round robin's own listener, which takes the handle away from the server.
    server.once('listening', () => {
      const handle = internals._handle;
      const isKnown = typeof handle?.onconnection === 'function' && typeof handle.close === 'function';
      if (isKnown) found.onBound(handle as ListenHandle);
    });
    if (!found.reuse) return found.fd === undefined ? listen(...args) : listen({ fd: found.fd });
    internals._handle = found.reuse;
    process.nextTick(() => server.emit('listening'));
    return server;
  };
  server.listen = listenOrReuse as typeof server.listen;
}

/** Closes a listening socket, also when `close` of its handle has been replaced. */
export function closeListenHandle(handle: ListenHandle, callback?: () => void): void {
  (Object.getPrototypeOf(handle) as ListenHandle).close.call(handle, callback);
}

/** @returns the handle of a connection in a worker, by which `onRedispatched` knows it */
export function handleOf(socket: net.Socket | net.Server): object | undefined {
  return (socket as { _handle?: object | null })._handle ?? undefined;
}

/** @returns a text that changes whenever the client sends a byte or takes one, also in the middle of a large write */
export function activityOf(socket: net.Socket): string {
  const { writeQueueSize } = (handleOf(socket) ?? {}) as { writeQueueSize?: number };
  return `${socket.bytesRead} ${socket.bytesWritten} ${writeQueueSize}`;
}
