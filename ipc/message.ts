import { ClutchError } from '../errors.js';
import type { Carrier } from '../tracing/payloads.js';

interface Route {
  to?: 'app' | 'agent' | 'master' | 'parent';
  /** Kind of the sender; set by the Master. */
  from?: string;
  /** Id of the only process that gets it. */
  receiverPid?: string;
  /** Only one of the processes named by `to` gets it. */
  one?: boolean;
  /** Id of the sender; set by the Master. */
  senderPid?: number;
  /** What a tracer sends along, such as `traceparent`. */
  carrier?: Carrier;
}

/** What the app, its plugins and Egg's events send between the processes of a cluster. */
export interface Message extends Route {
  action: string;
  data?: unknown;
}

/**
 * What the runtime sends. It has no `action`: whatever name the app gives to a message, it is none of these.
 */
export interface ControlMessage extends Route {
  clutch: Control;
  data?: unknown;
}

export type Envelope = Message | ControlMessage;

export type Control = (typeof CONTROL)[keyof typeof CONTROL];

export const CONTROL = {
  /** The child listens. Node's cluster reads the channel from the start, so what was sent before is lost. */
  hello: 'hello',
  /** Messages of the app that came to the Master together; their receiver takes them apart. */
  batch: 'batch',
  prepare: 'prepare',
  boot: 'boot',
  bootError: 'boot-error',
  /** The application has started; an app worker sends its ListenAddress. */
  ready: 'ready',
  /** A worker that threw is draining and wants to be replaced; without an error, a child got SIGTERM. */
  leaving: 'leaving',
  /** A draining worker has connections that make progress: it may take longer. */
  progress: 'progress',
  /** How many connections a worker has cut at the end of its time to drain. */
  cut: 'cut',
  /** Requests take longer than `requestTimeout`, with OverdueRequests. */
  overdue: 'overdue',
  /** To a worker: routes whose next requests it traces, since earlier ones were overdue. */
  suspects: 'suspects',
  /** How busy a worker is, with WorkerLoad. */
  load: 'load',
  /** A heartbeat, with ProcessStats. */
  stats: 'stats',
  /** A worker is going to listen on a unix socket; the reply has the same name, with an error message if there is one. */
  prepareSocket: 'prepare-socket',
  /** The files of keys and certificates that a worker has read. */
  tlsFiles: 'tls-files',
  /** They have changed: a worker reads them again and replies, with an error message if they are of no use. */
  reloadTls: 'reload-tls',
  tlsReloaded: 'tls-reloaded',
  /** To the sender of a message that has reached nobody. */
  undelivered: 'undelivered',
  /** Between two processes of the app. */
  request: 'request',
  reply: 'reply',
  /** One value of a stream, which is a request with several values. */
  chunk: 'chunk',
  /** To the sender of a stream: the receiver has room for more values. */
  credit: 'credit',
  /** To the receiver of a request: nobody waits for the reply any more. */
  cancel: 'cancel',
  /** The cluster is about to stop: a worker serves on and says that it is not ready. */
  stopping: 'stopping',
  /** The Master asks a child to end. */
  close: 'close',
  /** To the Agent: a process has ended, with its DeathRecord. */
  death: 'death',
  /** A child is to take a profile of itself, as a ProfileOrder says, and what came of it. */
  profile: 'profile',
  profiled: 'profiled',
  /** Whether somebody looks at the requests: an app worker then sends the slowest, with SlowRequests. */
  watch: 'watch',
  slowRequests: 'slow-requests',
  /** A connection for a worker in sticky mode, and what the worker replies. */
  connection: 'connection',
  connectionTaken: 'connection-taken',
  connectionRefused: 'connection-refused',
} as const;

export function isControl(envelope: Envelope): envelope is ControlMessage {
  return 'clutch' in envelope;
}

/** Egg's events that the runtime sends to the app or to the parent. */
const RUNTIME_EVENTS = ['egg-ready', 'egg-pids', 'agent-start', 'app-start', 'agent-worker-died', 'app-worker-died'];

/** Whether an action belongs to the runtime: an app that sends it would pretend to be the Master. */
export function isReserved(action: string): boolean {
  return action.startsWith('clutch:') || RUNTIME_EVENTS.includes(action);
}

/** @throws {ClutchError} ERR_CLUTCH_MESSAGE when an app may not send a message of this name */
export function checkAction(action: unknown): void {
  if (typeof action !== 'string') {
    throw new ClutchError('ERR_CLUTCH_MESSAGE', `the action of a message is ${typeof action}`, {
      fix: 'Name it with a string.',
    });
  }
  if (isReserved(action)) {
    throw new ClutchError('ERR_CLUTCH_MESSAGE', `the message name "${action}" is reserved for Clutch`, {
      fix: 'Choose another name; `clutch:` and the events of the cluster are sent by the Master only.',
    });
  }
}

/** @returns the name of a message or request as it is printed: an app may give it any length */
export function nameOf(envelope: Envelope): string {
  const action = isControl(envelope)
    ? ((envelope.data as { action?: string } | undefined)?.action ?? '')
    : envelope.action;
  return action.length <= 100 ? action : `${action.slice(0, 100)}…`;
}

/** Headers, and characters of one: `traceparent` takes 55, and W3C asks for 512 of `tracestate` and 8192 of `baggage`. */
const MOST_HEADERS = 8;
const LONGEST_HEADER = 8192;

/** @returns what another process has sent, as far as it can be headers */
export function parseCarrier(given: unknown): Carrier {
  const entries = typeof given === 'object' && given !== null ? Object.entries(given) : [];
  const valid = entries.filter(([name, value]) => name !== '__proto__' && isHeader(value)).slice(0, MOST_HEADERS);
  return Object.fromEntries(valid) as Carrier;
}

function isHeader(value: unknown): boolean {
  return typeof value === 'string' && value.length <= LONGEST_HEADER;
}
