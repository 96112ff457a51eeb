import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Context } from '../types.js';
import { respondToFailure } from './fail.js';

const CONNECTION = Symbol('connection');

type Listener = () => void;

/** The connection of a client, with one listener each for its errors and its end, however many requests come on it. */
class Connection {
  /** The context of the last request that came on it. */
  current: Context | undefined;
  /** Set once somebody waits for the connection to close. */
  #closeListeners: Set<Listener> | undefined;
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
    // Node forgets the address of a client that has left unless it was asked before; logs want it then.
    void socket.remoteAddress;
    socket.on('error', (error) => {
      const { current } = this;
      if (current && !current.res.writableFinished) respondToFailure(current, error);
    });
  }

  onceClosed(listener: Listener): void {
    let listeners = this.#closeListeners;
    if (listeners === undefined) {
      this.#closeListeners = listeners = new Set();
      this.#socket.once('close', () => {
        for (const each of this.#closeListeners ?? []) each();
      });
    }
    listeners.add(listener);
  }

  off(listener: Listener): void {
    this.#closeListeners?.delete(listener);
  }
}

interface WatchedSocket extends Socket {
  [CONNECTION]?: Connection;
}

/** @returns undefined for a request that did not come on a connection */
function connectionOf(socket: WatchedSocket | null | undefined): Connection | undefined {
  if (typeof socket?.on !== 'function') return undefined;
  return (socket[CONNECTION] ??= new Connection(socket));
}

/** Lets an error of the connection reach `ctx.onerror` until the response to `ctx`, or to a later request, has been sent. */
export function watchConnection(ctx: Context): void {
  const connection = connectionOf(ctx.req.socket);
  if (connection !== undefined) connection.current = ctx;
}

/** @returns the context of the last request that came on the connection; undefined before the first one */
export function contextOn(socket: Socket): Context | undefined {
  return (socket as WatchedSocket)[CONNECTION]?.current;
}

/** A request and its response, as a context and Koa's response have them. */
export interface Exchange {
  req: IncomingMessage;
  res: ServerResponse;
}

/**
 * Calls `listener` once: when the response has been sent, or when it cannot be sent any more because the client has left or the
 * response was destroyed; at once if that has happened. `res.writableFinished` tells which. The request of
 * `createAnonymousContext` never ends.
 */
export function onceEnded({ req, res }: Exchange, listener: Listener): void {
  if (typeof res.once !== 'function') return;
  const { socket } = req;
  if (res.destroyed || socket?.destroyed) {
    listener();
    return;
  }
  // A response that is queued behind others emits no `close` when its connection closes.
  const connection = connectionOf(socket);
  const end = (): void => {
    res.off('close', end);
    connection?.off(end);
    listener();
  };
  res.once('close', end);
  connection?.onceClosed(end);
}
