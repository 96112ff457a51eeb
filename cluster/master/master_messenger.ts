import { EventEmitter } from 'node:events';
import { CONTROL, type ControlMessage, checkAction, type Envelope, type Message } from '../../ipc/message.js';
import { type RequestOptions, Requests, type RequestTarget } from '../../ipc/requests.js';

/** The way to and from the other processes. */
interface Routes {
  send(message: Envelope): void;
  on(event: 'message', listener: (message: Message) => void): unknown;
  on(event: 'control', listener: (message: ControlMessage) => void): unknown;
  on(event: 'queueFull', listener: (receiver: { id: number }) => void): unknown;
}

/**
 * The messenger of the Master: sends to its processes, and emits what they send `to: 'master'` by action.
 * `queueFull` (pid) is emitted when messages to a process are dropped because it does not read them.
 */
export class MasterMessenger extends EventEmitter {
  readonly #routes: Routes;
  readonly #requests = new Requests((message) =>
    this.#routes.send({ ...message, from: 'master', senderPid: process.pid }),
  );

  constructor(routes: Routes) {
    super();
    this.#routes = routes;
    routes.on('message', ({ action, data }) => {
      // A message named `error` is no error of the Master, and nobody but the Master reports a full queue.
      if (action === 'queueFull' || (action === 'error' && this.listenerCount('error') === 0)) return;
      this.emit(action, data);
    });
    routes.on('control', ({ clutch, data }) => {
      if (clutch === CONTROL.reply) this.#requests.settle(data as Parameters<Requests['settle']>[0]);
      else this.#requests.undelivered(data as Parameters<Requests['undelivered']>[0]);
    });
    routes.on('queueFull', ({ id }) => this.emit('queueFull', id));
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
   * @param options how long it waits (5000 ms unless given), and what makes it give up
   * @throws the error of the handler, or the reason of the signal
   * @throws {ClutchError} ERR_CLUTCH_TIMEOUT, or ERR_CLUTCH_MESSAGE if the request cannot be delivered
   */
  request(target: RequestTarget, action: string, data?: unknown, options?: RequestOptions): Promise<unknown> {
    return this.#requests.ask(target, action, data, options);
  }

  /** To one app worker. */
  sendRandom(action: string, data?: unknown): this {
    return this.#send({ action, data, to: 'app', one: true });
  }

  /** @throws {ClutchError} ERR_CLUTCH_MESSAGE when the action is reserved */
  #send(message: Message): this {
    checkAction(message.action);
    this.#routes.send({ ...message, from: 'master' });
    return this;
  }
}
