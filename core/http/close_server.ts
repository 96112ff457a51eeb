import type { Server } from 'node:http';

/** Milliseconds that requests in flight get when the app closes. */
const LIMIT = 5000;

/** Stops listening and waits until what is in flight has its response; what takes longer is cut. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) return resolve();
    const cut = setTimeout(() => server.closeAllConnections(), LIMIT);
    const sweep = setInterval(() => server.closeIdleConnections(), 50);
    server.close(() => {
      clearTimeout(cut);
      clearInterval(sweep);
      resolve();
    });
    server.closeIdleConnections();
  });
}
