import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toError } from '../../../errors.js';
import { listenPrivately } from '../../../ipc/socket_path.js';
import type { AdminSource } from '../../control/metric.js';
import { removeStaleSocket } from '../../listen/unix_socket.js';
import type { AdminListener } from '../../options/admin_options.js';
import type { Page } from './page.js';

const { createServer } = process.getBuiltinModule('node:http');

export interface Admin {
  /** What it has bound: a URL, or the path of a unix socket. */
  address: string;
  close(): void;
}

/**
 * Starts the Master's own HTTP listener: `/livez`, `/readyz`, `/startupz`, `/metrics`, and the page.
 *
 * @param loadPage called when somebody asks for anything else; undefined without a page
 */
export async function startAdmin(
  { listen }: AdminListener,
  report: AdminSource,
  loadPage: (() => Promise<Page>) | undefined,
): Promise<Admin> {
  let page: Promise<Page> | undefined;

  const respond = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const send = (status: number, body: string, type = 'text/plain; charset=utf-8'): void => {
      res.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
      res.end(req.method === 'HEAD' ? undefined : body);
    };
    const path = req.url?.split('?', 1)[0] ?? '';
    const probe = PROBES[path];
    if (!probe && path !== '/metrics' && loadPage) {
      page ??= loadPage();
      return (await page).handle(req, res);
    }
    if (req.method !== 'GET' && req.method !== 'HEAD') return send(405, 'method not allowed\n');
    if (probe) return send(...probe(report));
    if (path !== '/metrics') return send(404, 'not found\n');
    // Loaded at first use: not every cluster is scraped.
    const { CONTENT_TYPE, writeMetrics } = await import('../../control/metrics.js');
    send(200, writeMetrics(report), CONTENT_TYPE);
  };

  const server = createServer((req, res) => {
    respond(req, res).catch((error: unknown) => {
      if (!res.headersSent) res.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' });
      res.end(`${toError(error).message}\n`);
    });
  });
  if ('path' in listen) await removeStaleSocket(listen.path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', resolve);
    if ('path' in listen) listenPrivately(server, listen);
    else server.listen(listen);
  });
  return {
    address: 'path' in listen ? listen.path : urlOf(server.address() as AddressInfo),
    close: () => {
      server.close();
      server.closeAllConnections();
      void page?.then((loaded) => loaded.close());
    },
  };
}

const PROBES: Record<string, ((report: AdminSource) => [status: number, body: string]) | undefined> = {
  '/livez': () => [200, 'alive\n'],
  '/readyz': (report) => (report.isReady() ? [200, 'ready\n'] : [503, 'not ready\n']),
  '/startupz': (report) => (report.hasStarted() ? [200, 'started\n'] : [503, 'starting\n']),
};

function urlOf({ address, port }: AddressInfo): string {
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}
