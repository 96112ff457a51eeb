import type { AddressInfo } from 'node:net';
import { createMetrics, type MetricsSource } from './metrics.js';

const { createServer } = process.getBuiltinModule('node:http');

export interface AdminSource extends MetricsSource {
  /** Whether the service takes requests. */
  isReady(): boolean;
  /** Whether the cluster has been ready once. */
  hasStarted(): boolean;
}

/**
 * Starts the Master's own HTTP listener: `/livez`, `/readyz`, `/startupz` and `/metrics`.
 *
 * @returns it with the address that it has bound
 */
export async function startAdmin(
  { port, host }: { port: number; host: string },
  source: AdminSource,
): Promise<{ address: string; close(): void }> {
  let metrics: ReturnType<typeof createMetrics> | undefined;
  const server = createServer((req, res) => {
    const respond = (status: number, body: string, type = 'text/plain; charset=utf-8'): void => {
      res.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
      res.end(req.method === 'HEAD' ? undefined : body);
    };
    if (req.method !== 'GET' && req.method !== 'HEAD') return respond(405, 'method not allowed\n');
    switch (req.url?.split('?', 1)[0]) {
      case '/livez':
        return respond(200, 'alive\n');
      case '/readyz':
        return source.isReady() ? respond(200, 'ready\n') : respond(503, 'not ready\n');
      case '/startupz':
        return source.hasStarted() ? respond(200, 'started\n') : respond(503, 'starting\n');
      case '/metrics':
        metrics ??= createMetrics(source);
        metrics
          .then(async ({ contentType, text }) => respond(200, await text(), contentType))
          .catch((error: Error) => respond(500, `${error.message}\n`));
        return;
      default:
        return respond(404, 'not found\n');
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { address, port: bound } = server.address() as AddressInfo;
  return {
    address: `http://${address.includes(':') ? `[${address}]` : address}:${bound}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
