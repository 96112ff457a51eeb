import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Application } from '../../../framework/index.js';

/** A connection that stays open after its request: a web socket or a stream of events. */
export interface LiveConnection {
  /** Tells the client that this process is going away, and closes. */
  leave(): void;
}

const CONNECTIONS = Symbol('live connections');

interface Holder {
  [CONNECTIONS]?: Set<LiveConnection>;
}

/**
 * Keeps a connection until it closes, and has it leave when the process drains or the app closes.
 *
 * The app emits `live` for it, with the response or socket that carries it: who counts requests in flight leaves it out.
 */
export function keepConnection(app: Application, connection: LiveConnection, carrier: ServerResponse | Duplex): void {
  const all = connectionsOf(app);
  all.add(connection);
  carrier.once('close', () => all.delete(connection));
  app.emit('live', carrier);
}

function connectionsOf(app: Application): Set<LiveConnection> {
  const holder = app as Holder;
  if (!holder[CONNECTIONS]) {
    const all = new Set<LiveConnection>();
    holder[CONNECTIONS] = all;
    const leave = (): void => {
      for (const connection of all) connection.leave();
    };
    app.once('draining', leave);
    app.beforeClose(leave);
  }
  return holder[CONNECTIONS];
}
