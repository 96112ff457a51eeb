import type { ClusterOptions } from './options.js';

/** What passes between the processes of a cluster. */
export interface Message {
  action: string;
  data?: unknown;
  to?: string;
  from?: string;
  /** Only the process with this id gets it. */
  receiverPid?: string;
  /** Only one of those it is for gets it. */
  one?: boolean;
  /** Id of the process that has sent it; set by the Master. */
  senderPid?: number;
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
  options: ClusterOptions & { clusterPort: number; leader: LeaderInfo };
  /** Milliseconds from SIGTERM until the Master kills the process. */
  closeTimeout: number;
  /** Milliseconds between two `stats`. */
  statsInterval: number;
}

/** How Leader and Followers find and trust each other. */
export interface LeaderInfo {
  /** Known to the processes of this cluster only. */
  token: string;
  /** Where their sockets are. */
  dir: string;
  master: number;
  /** Id of the Agent in use. */
  agent: number | undefined;
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

/** What a child tells of itself at every heartbeat. */
export interface ProcessStats {
  /** Bytes. */
  rss: number;
  heapUsed: number;
  /** Milliseconds of processor time since the process began. */
  cpu: number;
  /** Delay of the event loop since the last heartbeat, in milliseconds. */
  loopP50: number;
  loopP99: number;
  /** Zero in an Agent, like what follows. */
  inFlight: number;
  requests: number;
  latency: LatencyHistogram;
}

export interface LatencyHistogram {
  /** Requests that took at most the bound of the same index of LATENCY_BOUNDS; the last one counts all others. */
  counts: number[];
  /** Seconds. */
  sum: number;
}

/** Seconds. */
export const LATENCY_BOUNDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Messages between the Master and its children that are not for the app. Their names are not used by Egg. */
export const CONTROL = {
  /** A child listens; what was sent before is lost, since Node's cluster reads the channel from the start. */
  hello: 'clutch:hello',
  prepare: 'clutch:prepare',
  boot: 'clutch:boot',
  bootError: 'clutch:boot-error',
  /** A worker that threw is draining and wants to be replaced. */
  leaving: 'clutch:leaving',
  /** A heartbeat, with ProcessStats. */
  stats: 'clutch:stats',
  /** A worker is going to listen on a unix socket; the answer has the same name, with an error or without. */
  prepareSocket: 'clutch:prepare-socket',
  /** To the sender of a message that has not reached anyone. */
  undelivered: 'clutch:undelivered',
  /** The answer to a request between two processes of the app. */
  response: 'clutch:response',
  request: 'clutch:request',
  /** SIGTERM for a thread. */
  close: 'clutch:close',
  /** A connection for a worker in sticky mode, and its receipt. */
  connection: 'clutch:connection',
  connectionTaken: 'clutch:connection-taken',
} as const;

export function serializeError({ name, message, stack, code, cause }: Error & { code?: unknown }): ErrorData {
  const reason = cause instanceof Error ? `\n  caused by ${cause.stack}` : '';
  return { name, message, stack: `${stack}${reason}`, ...(typeof code === 'string' ? { code } : {}) };
}
