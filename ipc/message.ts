/** What passes between the processes of a cluster. */
export interface Message {
  action: string;
  data?: unknown;
  to?: 'app' | 'agent' | 'master' | 'parent';
  from?: string;
  /** Only the process with this id gets it. */
  receiverPid?: string;
  /** Only one of those it is for gets it. */
  one?: boolean;
  /** Id of the process that has sent it; set by the Master. */
  senderPid?: number;
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
  /** A connection for a worker in sticky mode, and what the worker replies. */
  connection: 'clutch:connection',
  connectionTaken: 'clutch:connection-taken',
  connectionRefused: 'clutch:connection-refused',
} as const;
