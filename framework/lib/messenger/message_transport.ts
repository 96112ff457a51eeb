import { isMainThread, type MessagePort, parentPort } from 'node:worker_threads';
import { ClutchError, toError } from '../../../errors.js';
import type { Message } from '../../../ipc/message.js';
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

/** Connects the messengers and clients of an Agent and an Application in one process. */
export class LocalBus {
  /** Real clients of `cluster()`, which both use. */
  readonly channels: Map<string, LeaderChannel> = new Map();
  readonly #sides = new Map<Side, (message: Message) => void>();

  transport(side: Side): MessageTransport {
    return {
      send: (message) => this.#send(side, message),
      listen: (deliver) => {
        this.#sides.set(side, deliver);
        return () => this.#sides.delete(side);
      },
    };
  }

  #send(from: Side, { to, receiverPid, one: _, ...message }: Message): void {
    const sent = { ...message, from, senderPid: process.pid };
    const other: Side = from === 'app' ? 'agent' : 'app';
    if (receiverPid !== undefined) {
      // There is one process; a message to its pid is for both in it.
      if (receiverPid === String(process.pid)) for (const side of this.#sides.keys()) this.#deliver(side, sent);
      return;
    }
    this.#deliver((to as Side) ?? other, sent);
  }

  #deliver(side: Side, message: Message): void {
    process.nextTick(() => this.#sides.get(side)?.(message));
  }
}
