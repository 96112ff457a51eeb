import { EventEmitter } from 'node:events';
import type { Message } from '../../ipc/message.js';
import type { Relay } from './relay.js';

/**
 * The messenger of the Master: sends to its processes, and emits by action what they send `to: 'master'`.
 * `queueFull` (pid) is emitted when messages to a process are dropped because it does not read them.
 */
export class MasterMessenger extends EventEmitter {
  readonly #relay: Relay;

  constructor(relay: Relay) {
    super();
    this.#relay = relay;
    relay.on('message', ({ action, data }) => {
      // Whoever sends an action called `error` means no error of the Master.
      if (action !== 'error' || this.listenerCount('error') > 0) this.emit(action, data);
    });
    relay.on('queueFull', ({ id }) => this.emit('queueFull', id));
  }

  /** To every app worker and the Agent. */
  broadcast(action: string, data?: unknown): this {
    return this.sendToApp(action, data).sendToAgent(action, data);
  }

  sendToApp(action: string, data?: unknown): this {
    return this.#send({ action, data, to: 'app' });
  }

  sendToAgent(action: string, data?: unknown): this {
    return this.#send({ action, data, to: 'agent' });
  }

  /** To the process with this pid. */
  sendTo(pid: number | string, action: string, data?: unknown): this {
    return this.#send({ action, data, receiverPid: String(pid) });
  }

  /** To one app worker. */
  sendRandom(action: string, data?: unknown): this {
    return this.#send({ action, data, to: 'app', one: true });
  }

  #send(message: Message): this {
    this.#relay.send({ ...message, from: 'master' });
    return this;
  }
}
