import { ClutchError } from '../errors.js';
import { parseCarrier } from '../ipc/message.js';
import type { Carrier } from '../tracing/payloads.js';
import { traceReceive } from '../tracing/trace_message.js';
import type { Channel, ChannelOptions, Listener } from './client_types.js';
import { FRAME } from './frame.js';

export function timeoutError({ name, responseTimeout }: ChannelOptions, method: string): Error {
  const error = new ClutchError('ERR_CLUTCH_TIMEOUT', `${method} got no reply within ${responseTimeout} ms`, {
    where: `client "${name}"`,
    fix: 'Raise responseTimeout, or find out what keeps the Agent busy.',
  });
  // The name that callers of Egg's client look at.
  error.name = 'ResponseTimeoutError';
  return error;
}

/** The connection to the Leader, as a channel uses it. */
export interface LeaderConnection {
  /** Calls a method of the real client; the payload names channel, method and arguments. */
  call(channel: FollowerChannel, method: string, payload: unknown[], deadline: number): Promise<unknown>;
  /** @throws {ClutchError} ERR_CLUTCH_MESSAGE when the payload cannot be sent, or too much waits already */
  send(type: number, id: number, payload: unknown): void;
  remove(channel: FollowerChannel): void;
}

interface Subscribed {
  registration: unknown;
  listeners: Set<Listener>;
  last: [value: unknown] | undefined;
}

/** One client of this process, whose real client is in the Agent. */
export class FollowerChannel implements Channel {
  readonly isLeader = false;
  readonly number: number;
  readonly options: ChannelOptions;
  readonly #connection: LeaderConnection;
  readonly #subscribed = new Map<string, Subscribed>();
  /** The last one of each key, which is published again to a new Leader. */
  readonly #published = new Map<string, unknown>();
  #connected = false;
  #waiting = new Set<(error?: Error) => void>();

  constructor(connection: LeaderConnection, number: number, options: ChannelOptions) {
    this.#connection = connection;
    this.number = number;
    this.options = options;
  }

  registered(): void {
    this.#connected = true;
    for (const [key, { registration }] of this.#subscribed) this.#sendSubscribe(key, registration);
    for (const registration of this.#published.values()) this.#sendPublish(registration);
    for (const settle of this.#settleAll()) settle();
  }

  refused(error: Error): void {
    for (const settle of this.#settleAll()) settle(error);
  }

  #settleAll(): Set<(error?: Error) => void> {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    return waiting;
  }

  lost(): void {
    this.#connected = false;
  }

  /** Rejects after `limit`; the client goes on trying. */
  #connectedWithin(limit: number, late: () => Error): Promise<void> {
    if (this.#connected) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const settle = (error?: Error): void => {
        clearTimeout(timer);
        if (error) reject(error);
        else resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(settle);
        reject(late());
      }, limit);
      this.#waiting.add(settle);
    });
  }

  ready(): Promise<void> {
    const { maxWaitTime, name } = this.options;
    return this.#connectedWithin(
      maxWaitTime,
      () =>
        new ClutchError('ERR_CLUTCH_TIMEOUT', `no Leader for client "${name}" within ${maxWaitTime} ms`, {
          fix: `Create it in the Agent, too: agent.cluster(…).create(…) in agent.js.`,
        }),
    );
  }

  invoke(method: string, args: unknown[], callback: boolean, carrier?: Carrier): Promise<unknown> {
    const { responseTimeout } = this.options;
    const deadline = Date.now() + responseTimeout;
    const call = (): Promise<unknown> => this.#call(method, args, deadline, { callback, carrier });
    if (this.#connected) return call();
    return this.#connectedWithin(responseTimeout, () => timeoutError(this.options, method)).then(call);
  }

  #call(
    method: string,
    args: unknown[],
    deadline: number,
    { callback, carrier }: { callback: boolean; carrier: Carrier | undefined },
  ): Promise<unknown> {
    const { transcode } = this.options;
    const encoded = transcode ? args.map((arg) => transcode.encode(arg)) : args;
    const payload = [this.number, method, encoded, ...(carrier ? [Number(callback), carrier] : callback ? [1] : [])];
    const reply = this.#connection.call(this, method, payload, deadline);
    return transcode ? reply.then((value) => (value === undefined ? value : transcode.decode(value as Buffer))) : reply;
  }

  invokeOneway(method: string, args: unknown[], carrier?: Carrier): void {
    const { transcode, responseTimeout } = this.options;
    const send = (): void => {
      const encoded = transcode ? args.map((arg) => transcode.encode(arg)) : args;
      this.#connection.send(FRAME.oneway, 0, withCarrier([this.number, method, encoded], carrier));
    };
    if (this.#connected) send();
    // Nobody waits for a one-way call: without a Leader it is dropped.
    else this.#connectedWithin(responseTimeout, () => timeoutError(this.options, method)).then(send, () => undefined);
  }

  subscribe(registration: unknown, listener: Listener): void {
    const key = this.options.formatKey(registration);
    const existing = this.#subscribed.get(key);
    if (existing) {
      existing.listeners.add(listener);
      const { last } = existing;
      if (last && this.options.isBroadcast) process.nextTick(() => this.#notify(listener, last[0]));
      return;
    }
    this.#subscribed.set(key, { registration, listeners: new Set([listener]), last: undefined });
    if (this.#connected) this.#sendSubscribe(key, registration);
  }

  #sendSubscribe(key: string, registration: unknown): void {
    const { transcode } = this.options;
    const encoded = transcode ? transcode.encode(registration) : registration;
    this.#connection.send(FRAME.subscribe, 0, [this.number, key, encoded]);
  }

  unSubscribe(registration: unknown, listener?: Listener): void {
    const key = this.options.formatKey(registration);
    const subscribed = this.#subscribed.get(key);
    if (!subscribed) return;
    if (listener) subscribed.listeners.delete(listener);
    else subscribed.listeners.clear();
    if (subscribed.listeners.size > 0) return;
    this.#subscribed.delete(key);
    if (this.#connected) this.#connection.send(FRAME.unsubscribe, 0, [this.number, key]);
  }

  /** @param carrier as the Leader has sent it */
  onPush(key: string, value: unknown, carrier: unknown): void {
    const subscribed = this.#subscribed.get(key);
    if (!subscribed) return;
    const { transcode, isBroadcast } = this.options;
    const decoded = transcode ? transcode.decode(value as Buffer) : value;
    subscribed.last = [decoded];
    const listeners = [...subscribed.listeners];
    const chosen = isBroadcast ? listeners : [listeners[Math.floor(Math.random() * listeners.length)] as Listener];
    traceReceive(
      () => ({ kind: 'push', name: `${this.options.name}.${key}`, peer: 'agent', carrier: parseCarrier(carrier) }),
      () => {
        for (const listener of chosen) this.#notify(listener, decoded);
      },
    );
  }

  /** A listener that throws must not break the connection. */
  #notify(listener: Listener, value: unknown): void {
    try {
      listener(value);
    } catch (error) {
      this.options.onError(error as Error);
    }
  }

  publish(registration: unknown, carrier?: Carrier): void {
    this.#published.set(this.options.formatKey(registration), registration);
    if (this.#connected) this.#sendPublish(registration, carrier);
  }

  #sendPublish(registration: unknown, carrier?: Carrier): void {
    const { transcode } = this.options;
    const encoded = transcode ? transcode.encode(registration) : registration;
    this.#connection.send(FRAME.publish, 0, withCarrier([this.number, encoded], carrier));
  }

  async close(): Promise<void> {
    for (const [key] of this.#subscribed) {
      if (this.#connected) this.#connection.send(FRAME.unsubscribe, 0, [this.number, key]);
    }
    this.#subscribed.clear();
    this.#published.clear();
    const closed = new ClutchError('ERR_CLUTCH_CLIENT', `client "${this.options.name}" was closed`);
    for (const settle of this.#settleAll()) settle(closed);
    this.#connection.remove(this);
  }
}

function withCarrier(payload: unknown[], carrier: Carrier | undefined): unknown[] {
  return carrier ? [...payload, carrier] : payload;
}
