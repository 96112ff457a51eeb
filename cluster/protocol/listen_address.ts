import { ClutchError } from '../../errors.js';
import { portHolder } from './port_holder.js';

export interface ListenAddress {
  /** Host name or address, or the path of a unix socket. */
  address: string;
  port?: number;
  protocol: 'http' | 'https';
}

/** @returns the address as a URL for a browser, or the path of a unix socket */
export function displayAddress({ address, port, protocol }: ListenAddress): string {
  return port === undefined ? address : `${protocol}://${displayHost(address)}:${port}`;
}

function displayHost(address: string): string {
  const host = process.env['HOST'];
  if (host && host !== '0.0.0.0') return host;
  if (address === '::' || address === '0.0.0.0') return '127.0.0.1';
  return address.includes(':') ? `[${address}]` : address;
}

/** @returns an error that says what to do when the address is already used, else the error itself */
export function explainListenError(error: NodeJS.ErrnoException, { address, port }: ListenAddress): Error {
  if (error.code !== 'EADDRINUSE') return error;
  const what = port === undefined ? address : `port ${port}`;
  const holder = port === undefined ? undefined : portHolder(port);
  const who = holder ? `${holder.name}, pid ${holder.pid}` : 'another process';
  return new ClutchError('ERR_CLUTCH_BOOT', `${what} is already used by ${who} (EADDRINUSE)`, {
    fix: 'Stop it, or choose another port with --port or config.cluster.listen.port.',
    cause: error,
  });
}
