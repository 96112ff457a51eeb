import type { ClusterOptions } from './options.js';

/** What passes between the processes of a cluster. */
export interface Message {
  action: string;
  data?: unknown;
  to?: string;
  from?: string;
  receiverPid?: string;
}

/** What a child needs before it may load code of the app. */
export interface PrepareData {
  /** URL of the framework's entry. */
  framework: string;
  /** Modules that are loaded first. */
  require: string[];
}

/** What a child gets when it may construct its application. */
export interface BootData {
  options: ClusterOptions & { clusterPort: number };
  /** Milliseconds from SIGTERM until the Master kills the process. */
  closeTimeout: number;
}

export interface ListenAddress {
  /** Host name or address, or the path of a unix socket. */
  address: string;
  port?: number;
  protocol: 'http' | 'https';
}

/** An error that crosses to the Master. */
export interface ErrorData {
  name: string;
  message: string;
  code?: string;
  stack?: string;
}

/** Messages between the Master and its children that are not for the app. Their names are not used by Egg. */
export const CONTROL = {
  /** A child listens; what was sent before is lost, since Node's cluster reads the channel from the start. */
  hello: 'clutch:hello',
  prepare: 'clutch:prepare',
  boot: 'clutch:boot',
  bootError: 'clutch:boot-error',
  /** A worker that threw is draining and wants to be replaced. */
  leaving: 'clutch:leaving',
} as const;

export function serializeError({ name, message, stack, code, cause }: Error & { code?: unknown }): ErrorData {
  const reason = cause instanceof Error ? `\n  caused by ${cause.stack}` : '';
  return { name, message, stack: `${stack}${reason}`, ...(typeof code === 'string' ? { code } : {}) };
}
