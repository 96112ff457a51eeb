import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import net from 'node:net';

/** Milliseconds in which a client may use a connection that was idle when the draining began. */
const IDLE_GRACE = 500;

/**
 * Stops accepting connections and waits until those that are open have been answered.
 * Every answer from now on says `Connection: close`. An idle connection is kept for a moment, since a request may
 * already be on its way on it.
 *
 * @param handed connections that the server got without accepting them
 * @param timeout milliseconds after which connections that are still open are cut
 */
export function drain(server: Server, timeout: number, handed: Handed = new Handed()): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(cut);
      clearTimeout(idle);
      resolve();
    };
    // Not http's own close(), which cuts idle connections at once.
    net.Server.prototype.close.call(server, () => handed.whenEmpty(done));
    server.prependListener('request', lastAnswer);
    const closeIdle = (): void => server.closeIdleConnections();
    const idle = setTimeout(() => {
      closeIdle();
      // What was answered with keep-alive before the draining began turns idle one by one.
      server.on('request', (_req, res: ServerResponse) => res.once('close', () => setImmediate(closeIdle)));
      const sweep = setInterval(closeIdle, 100);
      sweep.unref();
    }, IDLE_GRACE);
    const cut = setTimeout(() => server.closeAllConnections(), timeout);
  });
}

function lastAnswer(_req: IncomingMessage, res: ServerResponse): void {
  res.shouldKeepAlive = false;
}

/** Connections that were handed to a server: it does not wait for them by itself when it closes. */
export class Handed {
  readonly #open = new Set<net.Socket>();
  #onEmpty: (() => void) | undefined;

  add(socket: net.Socket): void {
    this.#open.add(socket);
    socket.once('close', () => {
      this.#open.delete(socket);
      if (this.#open.size === 0) this.#onEmpty?.();
    });
  }

  whenEmpty(listener: () => void): void {
    if (this.#open.size === 0) listener();
    else this.#onEmpty = listener;
  }
}
