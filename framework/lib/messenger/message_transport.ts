import { isMainThread, type MessagePort, parentPort } from 'node:worker_threads';
import { ClutchError, toError } from '../../../errors.js';
import { CONTROL, type Envelope, isControl, nameOf } from '../../../ipc/message.js';
import type { LeaderChannel } from '../../../leader/leader_channel.js';

type Deliver = (message: Envelope) => void;

/** How a messenger reaches the other processes. */
export interface MessageTransport {
  /** @throws {ClutchError} ERR_CLUTCH_MESSAGE when the message cannot be sent */
  send(message: Envelope): void;
  /** Starts delivering; @returns the function that stops it */
  listen(deliver: Deliver): () => void;
}

/** The transport of a process or thread that a Master has started. */
export function ipcTransport(onError: (error: Error) => void): MessageTransport {
  return isMainThread ? processTransport(onError) : threadTransport(parentPort as MessagePort);
}

function processTransport(onError: (error: Error) => void): MessageTransport {
  return {
    send(message) {
      if (!process.send) {
        if (isRequest(message))
          throw unsent(message, 'no Master has started this process; start() connects Agent and Application');
        return;
      }
      if (!process.connected) throw unsent(message, 'the Master is gone');
      try {
        process.send(message, undefined, {}, (error) => {
          if (error) onError(unsent(message, error.message, error));
        });
      } catch (error) {
        throw unsent(message, toError(error).message, error);
      }
    },
    listen(deliver) {
      const listener = (message: unknown): void => {
        const { action, clutch } = (message ?? {}) as { action?: unknown; clutch?: unknown };
        if (typeof (action ?? clutch) === 'string') deliver(message as Envelope);
      };
      process.on('message', listener);
      return () => process.off('message', listener);
    },
  };
}

function threadTransport(port: MessagePort): MessageTransport {
  return {
    send(message) {
      try {
        port.postMessage(message);
      } catch (error) {
        throw unsent(message, toError(error).message, error);
      }
    },
    listen(deliver) {
      port.on('message', deliver);
      return () => port.off('message', deliver);
    },
  };
}

function unsent(message: Envelope, reason: string, cause?: unknown): ClutchError {
  return new ClutchError('ERR_CLUTCH_MESSAGE', `message "${nameOf(message)}" is not sent: ${reason}`, { cause });
}

/** `master` is whoever has started both, if it listens. */
type Side = 'app' | 'agent' | 'master';

/** Messages that may wait for the Application, which is made after the Agent. */
const WAITING_LIMIT = 10_000;

/** Connects the messengers and clients of an Agent and an Application in one process. */
export class LocalBus {
  /** Real clients of `cluster()`, which both use. */
  readonly channels: Map<string, LeaderChannel> = new Map();
  /** Undefined once a side has closed. */
  readonly #sides = new Map<Side, Deliver | undefined>();
  readonly #waiting: Record<string, Envelope[]> = { app: [], agent: [] };
  /** Gets what is sent to the parent process. */
  toParent: ((message: Envelope) => void) | undefined;
  undeliveredMessages = 0;

  transport(side: Side): MessageTransport {
    return {
      send: (message) => this.#send(side, message),
      listen: (deliver) => {
        this.#sides.set(side, deliver);
        for (const message of this.#waiting[side]?.splice(0) ?? []) this.#deliver(side, message);
        return () => this.#sides.set(side, undefined);
      },
    };
  }

  /** Sends an event of the cluster to both sides. */
  announce(action: string, data: unknown): void {
    for (const side of ['app', 'agent'] as const) this.#deliver(side, { action, data, from: 'master' });
  }

  #send(from: Side, { to, receiverPid, one, ...message }: Envelope): void {
    const sent: Envelope = { ...message, from, senderPid: process.pid };
    const other: Side = from === 'app' ? 'agent' : 'app';
    if (to === 'parent') this.toParent?.(sent);
    else if (isForHandler(sent)) {
      for (const side of this.#sides.keys()) if (side !== from) this.#deliver(side, sent);
    } else if (receiverPid === undefined) this.#deliver(to ?? other, sent);
    else if (receiverPid !== String(process.pid)) this.#fail(sent, 'no process has this pid');
    // There is one process: a message to one of the others, or a request, is for the other side; one to its pid for both.
    else if (one || isRequest(sent)) this.#deliver(other, sent);
    else for (const side of this.#sides.keys()) this.#deliver(side, sent);
  }

  #deliver(side: Side, message: Envelope): void {
    if (!this.#sides.has(side)) {
      const waiting = this.#waiting[side];
      // Nobody has asked for what is sent to the Master.
      if (waiting === undefined) return;
      if (waiting.length < WAITING_LIMIT) waiting.push(message);
      else this.#fail(message, 'too many wait for the start of its receiver');
      return;
    }
    process.nextTick(() => {
      const deliver = this.#sides.get(side);
      if (deliver) deliver(message);
      // Both sides close together; only one that waits for a reply needs to know.
      else if (isRequest(message)) this.#fail(message, 'its receiver has closed');
    });
  }

  /** Reports to the sender, as the Master does in a cluster. */
  #fail(message: Envelope, reason: string): void {
    if (isControl(message) && !isRequest(message)) return;
    this.undeliveredMessages += 1;
    const id = isRequest(message) ? (message.data as { id: string }).id : undefined;
    const data = { action: nameOf(message), reason, id };
    process.nextTick(() => this.#sides.get(message.from as Side)?.({ clutch: CONTROL.undelivered, data }));
  }
}

function isRequest(message: Envelope): boolean {
  return isControl(message) && message.clutch === CONTROL.request;
}

/** Ids of requests are unique: the side that does not work on this one ignores it. */
function isForHandler(message: Envelope): boolean {
  return isControl(message) && (message.clutch === CONTROL.credit || message.clutch === CONTROL.cancel);
}
