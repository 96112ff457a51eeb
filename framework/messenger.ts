import { EventEmitter } from 'node:events';
import { isMainThread, type MessagePort, parentPort } from 'node:worker_threads';
import { ClutchError, toError } from '../errors.js';
import type { LeaderChannel } from './leader/leader_channel.js';

/** What passes between the processes of a cluster. */
export interface Message {
  action: string;
  data?: unknown;
  to?: 'app' | 'agent' | 'master' | 'parent';
  from?: string;
  /** Only the process with this pid gets it. */
  receiverPid?: string;
}

/** How a messenger reaches the other processes. */
export interface MessageTransport {
  send(message: Message): void;
  /** Starts delivering; @returns the function that stops it */
  listen(deliver: (message: Message) => void): () => void;
}

/**
 * Sends messages to the other processes of the cluster and emits those that arrive, by action.
 *
 * A message that arrives before `egg-ready` and has no listener yet is kept until then, so that nothing is lost
 * while files are still being loaded.
 */
export class Messenger extends EventEmitter {
  /** Pids of the processes on the other side: of app workers in the Agent, of the Agent in an app worker. */
  opids: string[] = [];
  readonly #transport: MessageTransport;
  readonly #onError: (error: Error) => void;
  readonly #stop: () => void;
  #early: Message[] | undefined = [];
  /** `sendRandom` needs to know the others, which the first `egg-pids` tells. */
  #randoms: [action: string, data: unknown][] = [];

  constructor(transport: MessageTransport, onError: (error: Error) => void) {
    super();
    this.#transport = transport;
    this.#onError = onError;
    this.#stop = transport.listen((message) => this.#receive(message));
  }

  /** To every app worker and the Agent, this process included. */
  broadcast(action: string, data?: unknown): this {
    this.send(action, data, 'app');
    return this.send(action, data, 'agent');
  }

  /** To the process with this pid. */
  sendTo(pid: number | string, action: string, data?: unknown): this {
    return this.#send({ action, data, receiverPid: String(pid) });
  }

  /** To one process of the other side: in the Agent an app worker, in an app worker the Agent. */
  sendRandom(action: string, data?: unknown): this {
    if (this.opids.length > 0) {
      return this.sendTo(this.opids[Math.floor(Math.random() * this.opids.length)] as string, action, data);
    }
    if (this.#early) this.#randoms.push([action, data]);
    return this;
  }

  /** To every app worker. */
  sendToApp(action: string, data?: unknown): this {
    return this.send(action, data, 'app');
  }

  /** To the Agent. */
  sendToAgent(action: string, data?: unknown): this {
    return this.send(action, data, 'agent');
  }

  /** To `to`; to the other side when it is not given. */
  send(action: string, data?: unknown, to?: Message['to']): this {
    return this.#send({ action, data, to });
  }

  #send(message: Message): this {
    if (typeof message.action !== 'string') {
      throw new ClutchError('ERR_CLUTCH_MESSAGE', `the action of a message is ${typeof message.action}`, {
        fix: 'Name it with a string.',
      });
    }
    this.#transport.send(message);
    return this;
  }

  #receive(message: Message): void {
    const { action, data } = message;
    if (action === 'egg-pids' && Array.isArray(data)) this.opids = data.map(String);
    if (action === 'egg-ready') {
      this.#emit(message);
      const early = this.#early ?? [];
      this.#early = undefined;
      for (const kept of early) this.#emit(kept);
      for (const [name, value] of this.#randoms.splice(0)) this.sendRandom(name, value);
      return;
    }
    if (this.#early && action !== 'egg-pids' && this.listenerCount(action) === 0) this.#early.push(message);
    else this.#emit(message);
  }

  #emit({ action, data }: Message): void {
    // Each listener on its own, so that one that throws takes neither the others nor the process down.
    for (const listener of this.rawListeners(action)) {
      try {
        const result: unknown = listener.call(this, data);
        if (result instanceof Promise) result.catch((error: unknown) => this.#report(action, error));
      } catch (error) {
        this.#report(action, error);
      }
    }
  }

  #report(action: string, thrown: unknown): void {
    const error = toError(thrown);
    error.message = `listener of message "${action}": ${error.message}`;
    this.#onError(error);
  }

  close(): void {
    this.#stop();
    this.removeAllListeners();
  }
}

/** The transport of a process or thread that a Master has started. */
export function ipcTransport(onError: (error: Error) => void): MessageTransport {
  return isMainThread ? processTransport(onError) : threadTransport(parentPort as MessagePort);
}

function processTransport(onError: (error: Error) => void): MessageTransport {
  return {
    send(message) {
      if (!process.send) return;
      if (!process.connected) {
        onError(new ClutchError('ERR_CLUTCH_MESSAGE', `message "${message.action}" is not sent: the Master is gone`));
        return;
      }
      process.send(message, undefined, {}, (error) => {
        if (error) onError(error);
      });
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
    send: (message) => port.postMessage(message),
    listen(deliver) {
      port.on('message', deliver);
      return () => port.off('message', deliver);
    },
  };
}

type Side = 'app' | 'agent';

/** Connects the messengers of an Agent and an Application in one process. */
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

  #send(from: Side, { to, receiverPid, ...message }: Message): void {
    const other: Side = from === 'app' ? 'agent' : 'app';
    if (receiverPid !== undefined) {
      // There is one process; a message to its pid is for both in it.
      if (receiverPid === String(process.pid)) for (const side of this.#sides.keys()) this.#deliver(side, message);
      return;
    }
    this.#deliver((to as Side) ?? other, message);
  }

  #deliver(side: Side, message: Message): void {
    process.nextTick(() => this.#sides.get(side)?.(message));
  }
}
