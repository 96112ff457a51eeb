import type { ChildProcess } from 'node:child_process';
import type net from 'node:net';

// The private members and messages of Node's cluster module that this package relies on. No other file names them, and
// test/cluster/listen/node_cluster.test.ts checks each. Where one is missing the functions below say so, and connections
// take Node's own way: refused while no worker is there, lost with a worker that has not taken them.

/** A connection that the Master has accepted. */
export interface ClientHandle {
  close(): void;
}

/** The handle of a listening socket. */
export interface ListenHandle {
  close(callback?: () => void): void;
  onconnection: (status: number, client: ClientHandle) => void;
}

interface ServerInternals {
  _handle?: Partial<ListenHandle> | null;
}

interface InternalMessage {
  cmd?: unknown;
  act?: unknown;
  seq?: unknown;
  ack?: unknown;
}

/** Node's round robin makes its server with `assert.fail` as the connection listener: it never accepts by itself. */
export function isRoundRobinServer(createServerArguments: readonly unknown[]): boolean {
  const [listener] = createServerArguments;
  return typeof listener === 'function' && listener.name === 'fail';
}

/** @returns the handle of a server that has just begun to listen */
export function listenHandleOf(server: net.Server): ListenHandle | undefined {
  const handle = (server as ServerInternals)._handle;
  const isKnown = typeof handle?.onconnection === 'function' && typeof handle.close === 'function';
  return isKnown ? (handle as ListenHandle) : undefined;
}

/** Makes the server use a socket that listens already. */
export function setListenHandle(server: net.Server, handle: ListenHandle): void {
  (server as ServerInternals)._handle = handle;
}

/** Closes the socket, also when `close` of the handle has been replaced. */
export function closeListenHandle(handle: ListenHandle, callback?: () => void): void {
  (Object.getPrototypeOf(handle) as ListenHandle).close.call(handle, callback);
}

/** @returns the number that the worker's reply will name, if the message gives a worker a connection */
export function dispatchedConnection(message: unknown): number | undefined {
  const { cmd, act, seq } = (message ?? {}) as InternalMessage;
  return cmd === 'NODE_CLUSTER' && act === 'newconn' && typeof seq === 'number' ? seq : undefined;
}

/** Calls `listener` with the number of each message that the worker has replied to. */
export function onInternalReply(child: ChildProcess, listener: (seq: number) => void): void {
  child.on('internalMessage' as 'message', (message) => {
    const { ack } = message as InternalMessage;
    if (typeof ack === 'number') listener(ack);
  });
}
