import { isMainThread, type MessagePort, parentPort } from 'node:worker_threads';
import { ClutchError, toError } from '../../../errors.js';
import { CONTROL, type Message } from '../../../ipc/message.js';
import type { LeaderChannel } from '../../../leader/leader_channel.js';

/** How a messenger reaches the other processes. */
export interface MessageTransport {
  /** @throws {ClutchError} ERR_CLUTCH_MESSAGE when the message cannot be sent */
  send(message: Message): void;
  /** Starts delivering; @returns the function that stops it */
  listen(deliver: (message: Message) => void): () => void;
}

/** The transport of a process or thread that a Master has started. */
export function ipcTransport(onError: (error: Error) => void): MessageTransport {
  return isMainThread ? processTransport(onError) : threadTransport(parentPort as MessagePort);
}

function processTransport(onError: (error: Error) => void): MessageTransport {
  return {
    send(message) {
      if (!process.send) return;
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
        if (typeof (message as Message | null)?.action === 'string') deliver(message as Message);
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

function unsent({ action }: Message, reason: string, cause?: unknown): ClutchError {
  return new ClutchError('ERR_CLUTCH_MESSAGE', `message "${action}" is not sent: ${reason}`, { cause });
}

type Side = 'app' | 'agent';
type Deliver = (message: Message) => void;

/** Messages that may wait for the Application, which is made after the Agent. */
const WAITING_LIMIT = 10_000;

/** Connects the messengers and clients of an Agent and an Application in one process. */
export class LocalBus {
  /** Real clients of `cluster()`, which both use. */
  readonly channels: Map<string, LeaderChannel> = new Map();
  /** Undefined once a side has closed. */
  readonly #sides = new Map<Side, Deliver | undefined>();
  readonly #waiting: Record<Side, Message[]> = { app: [], agent: [] };

  transport(side: Side): MessageTransport {
    return {
      send: (message) => this.#send(side, message),
      listen: (deliver) => {
        this.#sides.set(side, deliver);
        for (const message of this.#waiting[side].splice(0)) this.#deliver(side, message);
        return () => this.#sides.set(side, undefined);
      },
    };
  }

  #send(from: Side, { to, receiverPid, one, ...message }: Message): void {
    const sent = { ...message, from, senderPid: process.pid };
    const other: Side = from === 'app' ? 'agent' : 'app';
    if (receiverPid === undefined) this.#deliver((to as Side | undefined) ?? other, sent);
    else if (receiverPid !== String(process.pid)) this.#fail(sent, 'no process has this pid');
    // There is one process: what is meant for one of the others is for the other side, what is for a pid is for both.
    else if (one || message.action === CONTROL.request) this.#deliver(other, sent);
    else for (const side of this.#sides.keys()) this.#deliver(side, sent);
  }

  #deliver(side: Side, message: Message): void {
    const waiting = this.#waiting[side];
    // There is no Master and no parent.
    if (waiting === undefined) return;
    if (!this.#sides.has(side)) {
      if (waiting.length < WAITING_LIMIT) waiting.push(message);
      else this.#fail(message, 'too many wait for the start of its receiver');
      return;
    }
    process.nextTick(() => {
      const deliver = this.#sides.get(side);
      if (deliver) deliver(message);
      // Both sides close together; only one that waits for a reply needs to know.
      else if (message.action === CONTROL.request) this.#fail(message, 'its receiver has closed');
    });
  }

  /** Reports to the sender, as the Master does in a cluster. */
  #fail({ action, data, from }: Message, reason: string): void {
    if (action === CONTROL.response || action === CONTROL.undelivered) return;
    const request = action === CONTROL.request ? (data as { id: unknown; action: string }) : undefined;
    const report = { action: request?.action ?? action, reason, id: request?.id };
    process.nextTick(() => this.#sides.get(from as Side)?.({ action: CONTROL.undelivered, data: report }));
  }
}
