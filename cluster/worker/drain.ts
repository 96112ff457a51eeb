import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type net from 'node:net';
import { debuglog } from 'node:util';
import { activityOf } from '../listen/node_cluster.js';
import type { Connections } from './connections.js';
import { stopListening } from './listen.js';

const debug = debuglog('clutch:drain');

/** Milliseconds in which a client may use a connection that was idle when the draining began. */
const IDLE_GRACE = 500;
/** Milliseconds between two searches for connections that have become idle. */
const SWEEP = 100;
/** Milliseconds without a byte in either direction after which a connection makes no progress. */
const PROGRESS_WINDOW = 1000;

interface DrainOptions {
  /** Milliseconds after which a connection that makes no progress is cut. */
  timeout: number;
  /** Milliseconds after which every connection is cut. */
  longest: number;
  /** Called again and again while connections are open after `timeout`. */
  onProgress(): void;
}

/**
 * Stops accepting connections and waits until those that are open have closed. Every response from now on says
 * `Connection: close`. An idle connection is kept for a moment, since a request may already be on its way on it.
 *
 * @returns how many connections were cut: a response was not read to its end, an upload or a web socket was open
 */
export async function drain(servers: Server[], connections: Connections, options: DrainOptions): Promise<number> {
  const { timeout, longest, onProgress } = options;
  const timers: NodeJS.Timeout[] = [];
  const cut = new Set<net.Socket>();
  const cutOff = (socket: net.Socket): void => {
    if (!socket.destroyed) cut.add(socket);
    socket.destroy();
  };
  const cutAll = (): void => {
    for (const socket of connections.open) cutOff(socket);
  };
  for (const server of servers) {
    stopListening(server);
    server.prependListener('request', closeAfterResponse);
  }
  timers.push(setTimeout(() => timers.push(setInterval(() => connections.closeIdle(), SWEEP)), IDLE_GRACE));
  if (longest > timeout) {
    const window = Math.min(PROGRESS_WINDOW, timeout / 2);
    timers.push(
      setTimeout(() => {
        let before = activities(connections);
        const check = (): void => {
          const now = activities(connections);
          for (const [socket, activity] of before) if (now.get(socket) === activity) cutOff(socket);
          before = now;
          onProgress();
        };
        timers.push(setInterval(check, window));
      }, timeout - window),
    );
  }
  timers.push(setTimeout(cutAll, Math.max(timeout, longest)));
  debug('draining %d connections', connections.open.length);
  await new Promise<void>((resolve) => connections.whenEmpty(resolve));
  for (const timer of timers) clearTimeout(timer);
  debug('drained, %d connections were cut', cut.size);
  return cut.size;
}

function activities(connections: Connections): Map<net.Socket, string> {
  return new Map(connections.open.map((socket) => [socket, activityOf(socket)]));
}

function closeAfterResponse(_req: IncomingMessage, res: ServerResponse): void {
  res.shouldKeepAlive = false;
}
