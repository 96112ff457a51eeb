import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import net from 'node:net';

/** Milliseconds in which a client may use a connection that was idle when the draining began. */
const IDLE_GRACE = 500;

/**
 * Stops accepting connections and waits until those that are open have been answered.
 * Every answer from now on says `Connection: close`. An idle connection is kept for a moment, since a request may
 * already be on its way on it.
 *
 * @param timeout milliseconds after which connections that are still open are cut
 */
export function drain(server: Server, timeout: number): Promise<void> {
  return new Promise((resolve) => {
    // Not http's own close(), which cuts idle connections at once.
    net.Server.prototype.close.call(server, () => {
      clearTimeout(cut);
      clearTimeout(idle);
      resolve();
    });
    server.prependListener('request', lastAnswer);
    const closeIdle = (): void => server.closeIdleConnections();
    const idle = setTimeout(() => {
      closeIdle();
      // What was answered with keep-alive before the draining began turns idle one by one.
      server.on('request', (_req, res: ServerResponse) => res.once('close', () => setImmediate(closeIdle)));
      const sweep = setInterval(closeIdle, 100);
      server.once('close', () => clearInterval(sweep));
    }, IDLE_GRACE);
    const cut = setTimeout(() => server.closeAllConnections(), timeout);
  });
}

function lastAnswer(_req: IncomingMessage, res: ServerResponse): void {
  res.shouldKeepAlive = false;
}
