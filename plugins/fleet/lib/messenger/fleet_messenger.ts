import { EventEmitter } from 'node:events';
import { ClutchError, toError } from '../../../../errors.js';
import { emitMessage, type MessageData, type Reply, type RequestData } from '../../../../framework/index.js';
import { countDroppedMessage } from '../../../../ipc/dropped_messages.js';
import { EARLY_MESSAGES } from '../../../../ipc/limits.js';
import { checkAction } from '../../../../ipc/message.js';
import { traceReceive, traceSend } from '../../../../tracing/trace_message.js';
import { Outbox } from './outbox.js';
import { Sequences } from './sequences.js';
import type {
  FleetRequest,
  FleetTarget,
  HandledRequest,
  LocalPacket,
  Outgoing,
  Side,
  Undelivered,
  WireMessage,
} from './wire.js';

/** Milliseconds between two reports of lost messages. */
const REPORT_INTERVAL = 10_000;

/** How a process reaches the fleet. */
export interface FleetLink {
  side: 'app' | 'agent';
  /** Resolves when they have left the machine, but for those that it names. */
  publish(batch: Outgoing[]): Promise<Undelivered[]>;
  request(request: FleetRequest): Promise<unknown>;
  onError(error: Error): void;
}

type Handler = (data: unknown) => unknown;

/**
 * `messenger.fleet`: the messages of `messenger`, to the processes of all machines, this one included.
 *
 * A message arrives at most once, and in the order in which its sender has sent them. What is sent while the server cannot be
 * reached waits for `config.fleet.timeout`, then it is lost: counted in `lost`, and reported by the event `clutch:undelivered`.
 */
export class FleetMessenger extends EventEmitter {
  readonly #link: FleetLink;
  readonly #outbox: Outbox<Outgoing>;
  readonly #handlers = new Map<string, Handler>();
  readonly #arrived = new Sequences();
  #early: WireMessage[] | undefined = [];
  #reportedAt = Number.NEGATIVE_INFINITY;
  /** Messages that this process has got. */
  received = 0;
  /** Messages for this process that came before `egg-ready`, too many to keep. */
  dropped = 0;

  constructor(link: FleetLink) {
    super();
    this.#link = link;
    this.#outbox = new Outbox<Outgoing>(
      (batch) => link.publish(batch),
      (messages, error) => this.#onLost(messages, error),
    );
  }

  /** Messages of this process that have left the machine. */
  get sent(): number {
    return this.#outbox.sent;
  }

  /** Messages of this process that may not have left. */
  get lost(): number {
    return this.#outbox.lost;
  }

  /** Messages of this process that have not left yet. */
  get waiting(): number {
    return this.#outbox.waiting;
  }

  /** To every app worker and the Agent of every machine, this process included. */
  broadcast<K extends string>(action: K, data?: MessageData<K>): this {
    return this.#push({ to: 'all', action, data });
  }

  /** To every app worker of every machine. */
  sendToApp<K extends string>(action: K, data?: MessageData<K>): this {
    return this.#push({ to: 'app', action, data });
  }

  /** To the Agent of every machine. */
  sendToAgent<K extends string>(action: K, data?: MessageData<K>): this {
    return this.#push({ to: 'agent', action, data });
  }

  /** To every process of the machine with this name; lost, and counted, if there is none. */
  sendTo<K extends string>(member: string, action: K, data?: MessageData<K>): this {
    return this.#push({ to: 'all', action, data }, member);
  }

  /** To one process of the other side, on any machine: in the Agent to an app worker, in an app worker to an Agent. */
  sendRandom<K extends string>(action: K, data?: MessageData<K>): this {
    const to: Side = this.#link.side === 'app' ? 'agent' : 'app';
    return this.#push({ to, one: true, action, data }, '*');
  }

  #push(message: WireMessage, member?: string): this {
    checkAction(message.action);
    traceSend(
      () => ({ kind: 'message', name: message.action, peer: peerOf(member ?? message.to) }),
      (carrier) => this.#take(carrier ? { ...message, carrier } : message, member),
    );
    return this;
  }

  #take(message: WireMessage, member: string | undefined): void {
    let text: string;
    try {
      text = JSON.stringify(message);
    } catch (error) {
      throw new ClutchError(
        'ERR_CLUTCH_MESSAGE',
        `message "${message.action}" is not sent: ${toError(error).message}`,
        {
          cause: error,
        },
      );
    }
    this.#outbox.push({
      to: message.to,
      ...(member !== undefined && { member, ...(member !== '*' && { checked: true }) }),
      text,
    });
  }

  /** @returns when all that this process has sent until now has left the machine or is lost: await it to send no faster than that */
  flush(): Promise<void> {
    return this.#outbox.flush();
  }

  /**
   * Asks a process of another machine, or of this one, and resolves with what its handler returns.
   *
   * @param target `agent` or `app` for one of them on any machine, or the name of a machine, whose Agent is asked
   * @param timeout milliseconds to wait for the reply
   * @throws the error of the handler, with its name, message, code and stack
   * @throws {ClutchError} ERR_CLUTCH_TIMEOUT, or ERR_CLUTCH_FLEET when there is no such machine or no connection
   */
  request<K extends string>(
    target: FleetTarget,
    action: K,
    data?: RequestData<K>,
    { timeout = 5000 }: { timeout?: number } = {},
  ): Promise<Reply<K>> {
    return traceSend(
      () => ({ kind: 'request', name: action, peer: peerOf(target) }),
      (carrier) => this.#link.request({ target, action, data, timeout, carrier }) as Promise<Reply<K>>,
    );
  }

  /**
   * Replies to requests of that action, from any machine, with what `handler` returns or throws.
   *
   * @throws {ClutchError} ERR_CLUTCH_DUPLICATE when there is a handler already
   */
  onRequest<K extends string, D extends RequestData<K>>(
    action: K,
    handler: (data: D) => Reply<K> | Promise<Reply<K>>,
  ): this {
    if (this.#handlers.has(action)) {
      throw new ClutchError('ERR_CLUTCH_DUPLICATE', `requests "${action}" of the fleet have a handler already`, {
        fix: 'A request gets one reply: register one handler.',
      });
    }
    this.#handlers.set(action, handler as Handler);
    return this;
  }

  override on<K extends string, D extends MessageData<K>>(action: K, listener: (data: D) => void): this {
    return super.on(action, listener);
  }

  override once<K extends string, D extends MessageData<K>>(action: K, listener: (data: D) => void): this {
    return super.once(action, listener);
  }

  /** @internal A request of another machine. */
  async handle({ action, data, carrier }: HandledRequest): Promise<unknown> {
    const handler = this.#handlers.get(action);
    if (!handler) {
      throw new ClutchError('ERR_CLUTCH_MESSAGE', `requests "${action}" of the fleet have no handler here`, {
        fix: 'Register a handler with messenger.fleet.onRequest().',
      });
    }
    return traceReceive(
      () => ({ kind: 'request', name: action, peer: peerOf(undefined), carrier }),
      () => handler(data),
    );
  }

  /** @internal Messages that the Agent passes on; while one Agent replaces another, both do. */
  receivePacket({ messages, origin }: LocalPacket): void {
    if (origin && this.#arrived.note(origin.stream, origin.seq) === undefined) return;
    this.receive(messages);
  }

  /** @internal Messages for this process. */
  receive(messages: WireMessage[]): void {
    for (const message of messages) {
      if (this.#early && this.listenerCount(message.action) === 0) this.#keep(this.#early, message);
      else this.#emit(message);
    }
  }

  #keep(early: WireMessage[], message: WireMessage): void {
    if (early.length < EARLY_MESSAGES) {
      early.push(message);
      return;
    }
    countDroppedMessage();
    this.dropped += 1;
    this.#report(`${this.dropped} messages of the fleet are dropped so far: too many wait for egg-ready`);
  }

  /** @internal The cluster is ready: what was kept for listeners is delivered or dropped. */
  ready(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const message of early) this.#emit(message);
  }

  #emit(message: WireMessage): void {
    this.received += 1;
    const { action, carrier } = message;
    if (this.listenerCount(action) === 0) return;
    traceReceive(
      () => ({ kind: 'message', name: action, peer: peerOf(undefined), carrier }),
      () => emitMessage(this, message, (error) => this.#link.onError(error)),
    );
  }

  #report(what: string, cause?: Error): void {
    const now = performance.now();
    if (now - this.#reportedAt <= REPORT_INTERVAL) return;
    this.#reportedAt = now;
    this.#link.onError(new ClutchError('ERR_CLUTCH_FLEET', what, { cause }));
  }

  #onLost(messages: Outgoing[], error: Error): void {
    // The cluster's status and metrics have them.
    countDroppedMessage(messages.length);
    this.#report(`${this.lost} messages to the fleet are lost so far: ${error.message}`, error);
    if (this.listenerCount('clutch:undelivered') === 0) return;
    for (const { text } of messages) {
      const { action } = JSON.parse(text) as WireMessage;
      this.#emit({ to: 'all', action: 'clutch:undelivered', data: { action, reason: error.message } });
    }
  }
}

/** The other end as a tracer shows it. */
function peerOf(target: string | undefined): string {
  return target === undefined ? 'fleet' : `fleet ${target === '*' ? 'random' : target}`;
}
