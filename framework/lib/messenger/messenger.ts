import { EventEmitter } from 'node:events';
import type { IMessages, IRequests, IStreams } from '../../../core/index.js';
import { ClutchError, toError } from '../../../errors.js';
import { countDroppedMessage } from '../../../ipc/dropped_messages.js';
import { EARLY_MESSAGES, LARGEST_WINDOW } from '../../../ipc/limits.js';
import {
  CONTROL,
  type ControlMessage,
  checkAction,
  type Envelope,
  isControl,
  type Message,
  nameOf,
} from '../../../ipc/message.js';
import {
  type RequestHandler,
  type RequestOptions,
  Requests,
  type RequestTarget,
  type UndeliveredReport,
} from '../../../ipc/requests.js';
import type { RequestContext } from '../../../ipc/running_request.js';
import type { StreamHandler } from '../../../ipc/streams.js';
import type { Carrier } from '../../../tracing/payloads.js';
import { traceReceive, traceSend } from '../../../tracing/trace_message.js';
import { emitMessage } from './emit_message.js';
import type { MessageTransport } from './message_transport.js';

/** What the message `K` carries, when the app has declared it in IMessages. */
export type MessageData<K> = K extends keyof IMessages ? IMessages[K] : unknown;
export type RequestData<K> = K extends keyof IRequests
  ? IRequests[K] extends { data: infer D }
    ? D
    : unknown
  : unknown;
export type Reply<K> = K extends keyof IRequests ? (IRequests[K] extends { reply: infer R } ? R : unknown) : unknown;

export type StreamRequest<K> = K extends keyof IStreams
  ? IStreams[K] extends { data: infer D }
    ? D
    : unknown
  : unknown;
export type StreamValue<K> = K extends keyof IStreams
  ? IStreams[K] extends { value: infer V }
    ? V
    : unknown
  : unknown;
export type StreamSource<V> = AsyncIterable<V> | Iterable<V>;

export interface StreamOptions {
  /** Values that may wait here and on their way; default 16. */
  window?: number;
  /** Ends the stream with its reason when it aborts. */
  signal?: AbortSignal | undefined;
}

/**
 * A control message on its way through a `send` that was replaced: Egg's test kit connects an Agent and an Application that no Master has
 * started by replacing `send`, and passes on whatever is sent as data.
 */
class Bridged {
  readonly message: ControlMessage;

  constructor(message: ControlMessage) {
    this.message = message;
  }
}

const SIDES = ['app', 'agent'] as const;
type Side = (typeof SIDES)[number];
/** Names the sides in bridged messages, where both have the same pid. No process has these. */
const SENDER: Record<Side, number> = { app: -1, agent: -2 };

interface MessengerOptions {
  /** Which of the two kinds of process this one is. */
  side: Side;
  onError: (error: Error) => void;
}

/**
 * Sends messages to the other processes of the cluster and emits those that arrive, by action.
 *
 * A message that arrives before `egg-ready` and has no listener yet is kept until then, so that nothing is lost
 * while files are still being loaded.
 */
export class Messenger extends EventEmitter {
  /** Ids of the processes on the other side: of app workers in the Agent, of the Agent in an app worker. */
  opids: string[] = [];
  readonly #transport: MessageTransport;
  readonly #onError: (error: Error) => void;
  readonly #stop: () => void;
  readonly #side: Side;
  readonly #requests = new Requests((message) => this.#sendControl(message));
  #early: Envelope[] | undefined = [];
  /** Whether `egg-pids` has named the other processes; a new Agent gets it after `egg-ready`. */
  #knowsOthers = false;
  /** Calls of `sendRandom` that wait for `egg-ready` and the first `egg-pids`. */
  #randoms: [action: string, data: unknown][] = [];

  constructor(transport: MessageTransport, { side, onError }: MessengerOptions) {
    super();
    this.#side = side;
    this.#transport = transport;
    this.#onError = onError;
    this.#stop = transport.listen((message) => this._onMessage(message));
  }

  /** Takes in a message from another process. Egg's test kit delivers messages through this name. */
  _onMessage(message: Envelope): void {
    const { data } = message;
    if (data instanceof Bridged) this.#receiveControl(data.message);
    else if (isControl(message)) this.#receiveControl(message);
    else this.#receive(message);
  }

  /** To every app worker and the Agent, this process included. */
  broadcast<K extends string>(action: K, data?: MessageData<K>): this {
    this.send(action, data, 'app');
    return this.send(action, data, 'agent');
  }

  /** To the process with this pid. */
  sendTo<K extends string>(pid: number | string, action: K, data?: MessageData<K>): this {
    return this.#send({ action, data, receiverPid: String(pid) });
  }

  /** To one process of the other side: in the Agent an app worker, in an app worker the Agent. */
  sendRandom<K extends string>(action: K, data?: MessageData<K>): this {
    if (this.opids.length > 0) {
      const receiverPid = this.opids[Math.floor(Math.random() * this.opids.length)];
      return this.#send({ action, data, receiverPid, one: true });
    }
    if (this.#early || !this.#knowsOthers) this.#randoms.push([action, data]);
    else this.#undelivered({ action, reason: 'there is no process on the other side at the moment' });
    return this;
  }

  /** To every app worker. */
  sendToApp<K extends string>(action: K, data?: MessageData<K>): this {
    return this.send(action, data, 'app');
  }

  /** To the Agent. */
  sendToAgent<K extends string>(action: K, data?: MessageData<K>): this {
    return this.send(action, data, 'agent');
  }

  /**
   * To `to`; to the other side when it is not given.
   *
   * @throws {ClutchError} ERR_CLUTCH_MESSAGE when `data` cannot be sent, the action is reserved (`clutch:*`, `egg-ready`
   * and other events of the cluster), or the Master is gone. A message that the Master cannot deliver is logged, and
   * `clutch:undelivered` ({ action, reason }) is emitted.
   */
  send<K extends string>(action: K, data?: MessageData<K>, to?: Message['to']): this {
    if (data instanceof Bridged) this.#transport.send(data.message);
    else this.#send({ action, data, to });
    return this;
  }

  #send(message: Message): this {
    checkAction(message.action);
    traceSend(
      () => ({ kind: 'message', name: message.action, peer: message.receiverPid ?? message.to }),
      (carrier) => this.#transport.send(carrier ? { ...message, carrier } : message),
    );
    return this;
  }

  #sendControl(message: ControlMessage): void {
    if (!Object.hasOwn(this, 'send')) {
      this.#transport.send(message);
      return;
    }
    const { receiverPid, to = this.#side === 'app' ? 'agent' : 'app' } = message;
    // A reply goes to the side that has asked.
    const asking = SIDES.find((side) => receiverPid === String(SENDER[side]));
    const bridged = new Bridged({ ...message, senderPid: SENDER[this.#side] });
    this.send<string>('clutch:bridged', bridged, asking ?? to);
  }

  /**
   * Asks another process, and resolves with what its handler returns.
   *
   * @param options how long it waits (5000 ms unless given), and a signal that makes it give up; the handler's signal aborts then
   * @throws the error of the handler, with its name, message, code and stack, or the reason of the signal
   * @throws {ClutchError} ERR_CLUTCH_TIMEOUT, or ERR_CLUTCH_MESSAGE when the request cannot be sent or delivered
   */
  request<K extends string>(
    target: RequestTarget,
    action: K,
    data?: RequestData<K>,
    options?: RequestOptions,
  ): Promise<Reply<K>> {
    return traceSend(
      () => ({ kind: 'request', name: action, peer: String(target) }),
      (carrier) => this.#requests.ask(target, action, data, { ...options, carrier }) as Promise<Reply<K>>,
    );
  }

  /**
   * Replies to requests of that action with what `handler` returns or throws.
   *
   * @throws {ClutchError} ERR_CLUTCH_DUPLICATE when there is a handler already
   */
  onRequest<K extends string, D extends RequestData<K>>(
    action: K,
    handler: (data: D, context: RequestContext) => Reply<K> | Promise<Reply<K>>,
  ): this {
    this.#requests.handle(action, handler as RequestHandler);
    return this;
  }

  /**
   * Reads values that another process sends, in their order: `for await (const value of messenger.stream(…))`. It is asked when the
   * first one is read, and sends no more than are read; a loop that is left ends the stream there, too.
   *
   * @param options `window`: how many values may wait here and on their way (16 unless given); `signal` ends it
   * @throws at the reader: the error of the handler; ERR_CLUTCH_MESSAGE when it cannot be delivered or the process has ended
   */
  stream<K extends string>(
    target: RequestTarget,
    action: K,
    data?: StreamRequest<K>,
    { window = 16, signal }: StreamOptions = {},
  ): AsyncIterableIterator<StreamValue<K>> {
    if (!Number.isInteger(window) || window < 1 || window > LARGEST_WINDOW) {
      throw new ClutchError('ERR_CLUTCH_MESSAGE', `the window of a stream is ${window}`, {
        fix: `Give a whole number from 1 to ${LARGEST_WINDOW}.`,
      });
    }
    const announce = (open: (carrier?: Carrier) => void): void =>
      traceSend(() => ({ kind: 'stream', name: action, peer: String(target) }), open);
    const parts = { window, signal, announce };
    return this.#requests.stream(target, action, data, parts) as AsyncIterableIterator<StreamValue<K>>;
  }

  /**
   * Sends the values of what `handler` returns (an async generator, a stream, an array) to a process that calls `stream`.
   *
   * @throws {ClutchError} ERR_CLUTCH_DUPLICATE when there is a handler already
   */
  onStream<K extends string, D extends StreamRequest<K>>(
    action: K,
    handler: (data: D, context: RequestContext) => StreamSource<StreamValue<K>> | Promise<StreamSource<StreamValue<K>>>,
  ): this {
    this.#requests.handleStream(action, handler as StreamHandler);
    return this;
  }

  override on<K extends string, D extends MessageData<K>>(action: K, listener: (data: D) => void): this {
    return super.on(action, listener);
  }

  override once<K extends string, D extends MessageData<K>>(action: K, listener: (data: D) => void): this {
    return super.once(action, listener);
  }

  #receive(message: Message): void {
    const { action, data } = message;
    if (action === 'egg-pids' && Array.isArray(data)) {
      this.opids = data.filter((pid) => pid !== null).map(String);
      this.#knowsOthers = true;
      this.#sendWaiting();
    }
    if (action === 'egg-ready') {
      this.#emit(message);
      const early = this.#early ?? [];
      this.#early = undefined;
      for (const kept of early) this._onMessage(kept);
      this.#sendWaiting();
      return;
    }
    if (this.#early && action !== 'egg-pids' && this.listenerCount(action) === 0) this.#keep(message);
    else this.#emit(message);
  }

  #sendWaiting(): void {
    if (this.#early || !this.#knowsOthers) return;
    for (const [action, data] of this.#randoms.splice(0)) this.sendRandom(action, data);
  }

  /** The other control messages are not for the app. */
  #receiveControl(message: ControlMessage): void {
    switch (message.clutch) {
      case CONTROL.request:
        if (this.#early && !this.#requests.hasHandler(message)) this.#keep(message);
        else this.#reply(message);
        break;
      case CONTROL.reply:
        this.#requests.settle(message.data as Parameters<Requests['settle']>[0]);
        break;
      case CONTROL.chunk:
        this.#requests.chunk(message.data as Parameters<Requests['chunk']>[0]);
        break;
      case CONTROL.credit:
        this.#requests.credit(message.data as Parameters<Requests['credit']>[0]);
        break;
      case CONTROL.cancel:
        this.#cancel(message.data as { id: string });
        break;
      case CONTROL.undelivered:
        this.#undelivered(message.data as UndeliveredReport);
        break;
    }
  }

  #reply(message: ControlMessage): void {
    const { carrier } = message;
    const kind = (message.data as { window?: number }).window === undefined ? 'request' : 'stream';
    this.#requests
      .reply(message, (handle) =>
        traceReceive(() => ({ kind, name: nameOf(message), peer: senderOf(message), carrier }), handle),
      )
      .catch((error: unknown) => this.#onError(toError(error)));
  }

  #cancel(request: { id: string }): void {
    this.#early = this.#early?.filter(
      (kept) => !isControl(kept) || (kept.data as { id: string } | undefined)?.id !== request.id,
    );
    this.#requests.cancelled(request);
  }

  #keep(message: Envelope): void {
    if (!this.#early) return;
    if (this.#early.length < EARLY_MESSAGES) {
      this.#early.push(message);
      return;
    }
    countDroppedMessage();
    this.#onError(
      new ClutchError('ERR_CLUTCH_MESSAGE', `message "${nameOf(message)}" is dropped: too many wait for egg-ready`),
    );
  }

  #undelivered(what: UndeliveredReport): void {
    if (this.#requests.undelivered(what)) return;
    const { action, reason } = what;
    this.#onError(new ClutchError('ERR_CLUTCH_MESSAGE', `message "${action}" is not delivered: ${reason}`));
    this.#emit({ action: 'clutch:undelivered', data: { action, reason } });
  }

  #emit(message: Message): void {
    if (this.listenerCount(message.action) === 0) return;
    traceReceive(
      () => ({ kind: 'message', name: message.action, peer: senderOf(message), carrier: message.carrier }),
      () => emitMessage(this, message, this.#onError),
    );
  }

  close(): void {
    // Whoever waits for a reply gets an error.
    this.#requests.close();
    this.#stop();
    this.removeAllListeners();
  }
}

/** The pid of the sender, or what it is where the Master has sent it. */
function senderOf({ senderPid, from }: Envelope): string | undefined {
  return senderPid === undefined ? from : String(senderPid);
}
