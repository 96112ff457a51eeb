import { EventEmitter } from 'node:events';
import { CONTROL, type Message } from '../../ipc/message.js';
import { Requests, type RequestTarget } from '../../ipc/requests.js';
import type { Relay } from './relay.js';

/**
 * The messenger of the Master: sends to its processes, and emits by action what they send `to: 'master'`.
 * `queueFull` (pid) is emitted when messages to a process are dropped because it does not read them.
 */
export class MasterMessenger extends EventEmitter {
  readonly #relay: Relay;
  readonly #requests = new Requests((message) => void this.#send({ ...message, senderPid: process.pid }));

  constructor(relay: Relay) {
    super();
    this.#relay = relay;
    relay.on('message', ({ action, data }) => {
      if (action === CONTROL.response) this.#requests.settle(data as Parameters<Requests['settle']>[0]);
      else if (action === CONTROL.undelivered)
        this.#requests.undelivered(data as Parameters<Requests['undelivered']>[0]);
      // Whoever sends an action called `error` means no error of the Master.
      else if (action !== 'error' || this.listenerCount('error') > 0) this.emit(action, data);
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

  /**
   * Asks a process, and resolves with what its handler (`messenger.onRequest`) returns.
   *
   * @param timeout milliseconds to wait for the reply
   * @throws the error of the handler
   * @throws {ClutchError} ERR_CLUTCH_TIMEOUT, or ERR_CLUTCH_MESSAGE if the request cannot be delivered
   */
  request(target: RequestTarget, action: string, data?: unknown, { timeout = 5000 }: { timeout?: number } = {}) {
    return this.#requests.ask(target, action, data, timeout);
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
