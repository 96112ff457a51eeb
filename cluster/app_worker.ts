import cluster from 'node:cluster';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { ClutchError } from '../errors.js';
import { bootChild, type ChildApplication, closeAndExit, failBoot } from './child.js';
import { drain } from './drain.js';
import type { HttpsOptions } from './options.js';
import { type BootData, CONTROL, type ListenAddress, serializeError } from './protocol.js';

interface WorkerApplication extends ChildApplication {
  callback(): http.RequestListener;
}

interface ListenConfig {
  path?: string;
  port?: number;
  hostname?: string;
}

type WorkerState = 'booting' | 'ready' | 'draining';

void bootChild<WorkerApplication>('Application', async (app, { options, closeTimeout }) => {
  let state: WorkerState = 'booting';
  // Each in-flight request is marked as the last of its connection, also those that began before the draining.
  const inFlight = new Set<http.ServerResponse>();
  const server = createServer(app, options, () => state === 'ready', inFlight);
  app.emit('server', server);

  const leave = async (code: number): Promise<void> => {
    if (state === 'draining') return;
    state = 'draining';
    for (const res of inFlight) if (!res.headersSent) res.shouldKeepAlive = false;
    // A fifth of the time is kept for the close hooks.
    await drain(server, closeTimeout * 0.8);
    await closeAndExit(app, code);
  };
  process.on('SIGTERM', () => void leave(0));
  // Ahead of Node's own listener, which would end the process before its hooks have run.
  process.prependListener('disconnect', () => {
    if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;
    void leave(0);
  });
  process.on('uncaughtException', (error) => {
    app.coreLogger.error(error);
    if (state === 'draining') return;
    process.send?.(
      { action: CONTROL.leaving, data: serializeError(error), to: 'master' },
      undefined,
      {},
      () => undefined,
    );
    void leave(1);
  });

  const address = await listen(server, listenConfig(app, options));
  server.on('error', (error) => failBoot(error));
  state = 'ready';
  const data: ListenAddress = { ...address, protocol: server instanceof https.Server ? 'https' : 'http' };
  process.send?.({ action: 'app-start', data, to: 'master' }, undefined, {}, () => undefined);
});

function createServer(
  app: WorkerApplication,
  options: BootData['options'],
  isReady: () => boolean,
  inFlight: Set<http.ServerResponse>,
): http.Server {
  const callback = app.callback();
  const health = app.config['health'] as { path?: string } | false | undefined;
  const readyPath = health ? health.path : undefined;
  const listener: http.RequestListener = (req, res) => {
    if (readyPath !== undefined && req.url === readyPath) {
      res.writeHead(isReady() ? 200 : 503, { 'content-type': 'text/plain', 'cache-control': 'no-store' });
      res.end(isReady() ? 'ready' : 'not ready');
      return;
    }
    inFlight.add(res);
    res.once('close', () => inFlight.delete(res));
    callback(req, res);
  };
  const tls = tlsOptions(app, options);
  return tls ? (https.createServer(tls, listener) as unknown as http.Server) : http.createServer(listener);
}

function tlsOptions(app: WorkerApplication, options: BootData['options']): https.ServerOptions | undefined {
  const configured = (app.config['cluster'] as { https?: HttpsOptions } | undefined)?.https;
  const { key, cert, ca, passphrase } = { ...configured, ...options.https } as Partial<HttpsOptions>;
  if (!key || !cert) return undefined;
  return { key: readFileSync(key), cert: readFileSync(cert), ca: ca && readFileSync(ca), passphrase };
}

function listenConfig(app: WorkerApplication, { port }: BootData['options']): ListenConfig {
  const listen = (app.config['cluster'] as { listen?: ListenConfig } | undefined)?.listen ?? {};
  const merged = { ...listen, port: port ?? listen.port };
  if (merged.path || typeof merged.port === 'number') return merged;
  throw new ClutchError(
    'ERR_CLUTCH_CONFIG',
    `port should be number, but got ${String(merged.port)}(${typeof merged.port})`,
    {
      where: 'config.cluster.listen.port',
      fix: 'Give a port as a number, or a path for a unix socket.',
    },
  );
}

function listen(
  server: http.Server,
  { path, port, hostname }: ListenConfig,
): Promise<{ address: string; port?: number }> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explainListenError(error, path || `port ${port}`)));
    server.once('listening', () => {
      server.removeAllListeners('error');
      const address = server.address() as AddressInfo | string;
      resolve(typeof address === 'string' ? { address } : { address: address.address, port: address.port });
    });
    if (path) server.listen(path);
    else if (hostname) server.listen(port, hostname);
    else server.listen(port);
  });
}

function explainListenError(error: NodeJS.ErrnoException, what: string): Error {
  if (error.code !== 'EADDRINUSE') return error;
  return new ClutchError('ERR_CLUTCH_BOOT', `${what} is already used by another process (EADDRINUSE)`, {
    fix: 'Stop the other process, or choose another port with --port or config.cluster.listen.port.',
    cause: error,
  });
}
