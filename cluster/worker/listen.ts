import { readFileSync } from 'node:fs';
import type http from 'node:http';
import type https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { ClutchError, toError } from '../../errors.js';
import type { ListenerOptions } from '../options/listeners.js';
import { type HttpsOptions, isPem } from '../options/option_kinds.js';
import type { ChildOptions } from '../options/options.js';
import type { ListenAddress } from '../protocol/listen_address.js';
import { explainListenError } from '../protocol/listen_address.js';
import { explainTlsError, type Leaf, tlsError } from './tls_error.js';

const { createServer: createPlainServer, Server } = process.getBuiltinModule('node:http');

interface ListenConfig {
  path?: string;
  port?: number;
  hostname?: string;
  reusePort?: boolean;
}

type Config = Record<string, unknown>;

/**
 * @returns key and certificate as they are configured; undefined for plain HTTP
 * @throws {ClutchError} ERR_CLUTCH_CONFIG when one of them is missing
 */
export function tlsOf(config: Config, options: Pick<ChildOptions, 'https'>): HttpsOptions | undefined {
  const configured = (config['cluster'] as { https?: HttpsOptions } | undefined)?.https;
  // Leaf by leaf; `false` turns TLS off.
  const { key, cert, ca, passphrase }: HttpsOptions =
    options.https === false ? {} : { ...configured, ...options.https };
  if (!key && !cert) return undefined;
  if (!key || !cert) {
    throw new ClutchError('ERR_CLUTCH_CONFIG', `HTTPS has no ${key ? 'certificate' : 'key'}`, {
      where: `option https.${key ? 'cert' : 'key'}, config.cluster.https.${key ? 'cert' : 'key'}`,
      fix: 'Give both key and cert.',
    });
  }
  return { key, cert, ca, passphrase } as HttpsOptions;
}

/**
 * Makes the server of an app worker, with TLS when a key and a certificate are configured.
 *
 * @param settings what the app wants for it
 * @throws {ClutchError} ERR_CLUTCH_CONFIG when key or certificate are of no use
 */
export function createServer(
  tls: HttpsOptions | undefined,
  settings: http.ServerOptions,
  listener: http.RequestListener,
  { http2 = false }: { http2?: boolean | undefined } = {},
): http.Server {
  if (!tls) return createPlainServer(settings, listener);
  const secure = readTls(tls);
  if (http2) {
    // The classes of the fast path in `settings` are for HTTP/1.
    const { createSecureServer } = process.getBuiltinModule('node:http2');
    return createSecureServer({ ...secure, allowHTTP1: true }, listener as never) as unknown as http.Server;
  }
  // Only here: what it loads is of no use to plain HTTP.
  const https = process.getBuiltinModule('node:https');
  return https.createServer({ ...settings, ...secure }, listener) as unknown as http.Server;
}

/**
 * Connections that are open keep the certificate that they have begun with.
 *
 * @throws {ClutchError} ERR_CLUTCH_CONFIG when key or certificate are of no use; the server has not changed then
 */
export function reloadTls(server: http.Server, tls: HttpsOptions, settings: http.ServerOptions): void {
  (server as unknown as https.Server).setSecureContext({ ...settings, ...readTls(tls) });
}

/** @returns the paths of the files that `readTls` reads */
export function tlsFiles({ key, cert, ca }: HttpsOptions): string[] {
  return [key, cert, ca].filter((each): each is string => typeof each === 'string' && !isPem(each));
}

/**
 * Read in each worker, so that a reload takes a renewed certificate.
 *
 * @throws {ClutchError} ERR_CLUTCH_CONFIG with option and file
 */
function readTls(given: HttpsOptions): https.ServerOptions {
  const { passphrase } = given;
  const read: https.ServerOptions = passphrase === undefined ? {} : { passphrase };
  for (const leaf of ['key', 'cert', 'ca'] as const) {
    if (given[leaf]) read[leaf] = pem(given, leaf);
  }
  try {
    process.getBuiltinModule('node:tls').createSecureContext(read);
  } catch (cause) {
    throw explainTlsError(given, read, cause);
  }
  return read;
}

function pem(given: HttpsOptions, leaf: Leaf): string | Buffer {
  const value = given[leaf] as string | Buffer;
  if (Buffer.isBuffer(value) || isPem(value)) return value;
  try {
    return readFileSync(value);
  } catch (cause) {
    throw tlsError(given, leaf, toError(cause).message, cause);
  }
}

/**
 * Where the worker shall listen.
 *
 * @throws {ClutchError} ERR_CLUTCH_CONFIG when neither a port nor a path is given
 */
export function listenAddress(config: Config, options: ChildOptions, server: http.Server): ListenAddress {
  const { path, port, hostname }: ListenConfig = {
    ...(config['cluster'] as { listen?: ListenConfig } | undefined)?.listen,
    ...(options.port === undefined ? {} : { port: options.port }),
  };
  const protocol = server instanceof Server ? 'http' : 'https';
  if (path) return { address: path, protocol };
  if (typeof port === 'number') return { address: hostname ?? '', port, protocol };
  throw new ClutchError('ERR_CLUTCH_CONFIG', `port should be number, but got ${String(port)}(${typeof port})`, {
    where: 'config.cluster.listen.port',
    fix: 'Give a port as a number, or a path for a unix socket.',
  });
}

/** What the option `listen` makes of the address of one of its entries. */
export function listenerAddress({ port, host = '', path, https: tls }: ListenerOptions): ListenAddress {
  const protocol = tls ? 'https' : 'http';
  return path === undefined ? { address: host, port: port as number, protocol } : { address: path, protocol };
}

/** Servers whose sockets are being opened. */
const opening = new WeakSet<http.Server>();

/**
 * @param how `fd` is a socket that listens already
 * @throws {ClutchError} ERR_CLUTCH_BOOT when the port is used
 */
export function listen(
  server: http.Server,
  wanted: ListenAddress,
  { reusePort = false, fd }: { reusePort?: boolean; fd?: number | undefined } = {},
): Promise<ListenAddress> {
  const { address, port, protocol } = wanted;
  return new Promise((resolve, reject) => {
    opening.add(server);
    const onError = (error: NodeJS.ErrnoException): void => {
      opening.delete(server);
      reject(explainListenError(error, wanted));
    };
    server.once('error', onError);
    server.once('listening', () => {
      opening.delete(server);
      server.off('error', onError);
      const bound = server.address() as AddressInfo | string;
      resolve(
        typeof bound === 'string'
          ? { address: bound, protocol }
          : { address: bound.address, port: bound.port, protocol },
      );
    });
    if (fd !== undefined) server.listen({ fd });
    else if (port === undefined) server.listen(address);
    else server.listen({ port, ...(address ? { host: address } : {}), ...(reusePort ? { reusePort } : {}) });
  });
}

/** Stops accepting connections; open ones stay, unlike with http's own close(), which cuts idle connections at once. */
export function stopListening(server: http.Server): void {
  const close = (): void => void net.Server.prototype.close.call(server);
  // Node (22 and 24) throws if a server is closed while the Master opens its socket, and the Master then fails to.
  if (opening.has(server)) server.once('listening', close);
  else close();
}
