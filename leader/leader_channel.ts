import { ClutchError } from '../errors.js';
import type { Carrier } from '../tracing/payloads.js';
import { traceSend } from '../tracing/trace_message.js';
import type { Channel, ChannelOptions, Listener, RealClient } from './client_types.js';
import type { EncodedPayload } from './frame.js';
import { copyValue } from './value.js';

/** A value of a key on its way to subscribers. */
export interface Pushed {
  readonly key: string;
  readonly value: unknown;
  /** What a tracer sends along. */
  readonly carrier?: Carrier | undefined;
  /** Made by the first Follower's connection that needs it. */
  encoded?: EncodedPayload;
}

/** Gets the values of a key: a listener in this process, or a Follower's connection. */
export interface Subscriber {
  push(pushed: Pushed): void;
}

interface Subscription {
  subscribers: Set<Subscriber>;
  /** The last value, in an array because it may be undefined. */
  last: [value: unknown] | undefined;
}

type Method = (...args: unknown[]) => unknown;

/** A real client and all that use it: clients of this process directly, those of other processes through connections. */
export class LeaderChannel implements Channel {
  readonly isLeader = true;
  readonly options: ChannelOptions;
  readonly client: RealClient;
  readonly #ready: Promise<void>;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #local = new Map<string, Map<Listener, Subscriber>>();
  readonly #onClose: () => void;
  /** Clients of this process that use it. */
  #users = 1;

  constructor(client: RealClient, options: ChannelOptions, onClose: () => void) {
    this.client = client;
    this.options = options;
    this.#onClose = onClose;
    this.#ready = Promise.resolve(
      typeof client['ready'] === 'function' ? (client['ready'] as Method)() : undefined,
    ).then(() => undefined);
    // Whoever waits for `ready` gets the error; it is not unhandled while nobody waits yet.
    this.#ready.catch(() => undefined);
  }

  ready(): Promise<void> {
    return this.#ready;
  }

  #method(name: string): Method {
    const method = name in Object.prototype ? undefined : this.client[name];
    if (typeof method === 'function') return method as Method;
    throw new ClutchError('ERR_CLUTCH_CLIENT', `the client has no method ${name}`, {
      where: `client "${this.options.name}"`,
    });
  }

  async invoke(name: string, args: unknown[], callback: boolean): Promise<unknown> {
    return this.call(name, args, callback);
  }

  /** Like `invoke`, without a promise around what the method returns. */
  call(name: string, args: unknown[], callback: boolean): unknown {
    const method = this.#method(name);
    const takesCallback = callback || method.length > args.length;
    if (!takesCallback || method.constructor.name === 'AsyncFunction') return method.apply(this.client, args);
    return new Promise((resolve, reject) => {
      const done = (error: unknown, value: unknown): void => (error ? reject(error) : resolve(value));
      const result = method.call(this.client, ...args, done);
      if (typeof (result as Promise<unknown> | undefined)?.then === 'function') resolve(result);
      // A plain function with optional parameters returns its result directly.
      else if (!callback && result !== undefined) resolve(result);
    });
  }

  invokeOneway(name: string, args: unknown[]): void {
    this.invoke(name, args, false).catch(this.options.onError);
  }

  /** One real subscription for each key; later subscribers get the last value at once. */
  add(key: string, registration: unknown, subscriber: Subscriber): void {
    const existing = this.#subscriptions.get(key);
    if (existing) {
      existing.subscribers.add(subscriber);
      if (existing.last && this.options.isBroadcast) subscriber.push({ key, value: existing.last[0] });
      return;
    }
    const subscription: Subscription = { subscribers: new Set([subscriber]), last: undefined };
    this.#subscriptions.set(key, subscription);
    this.#method(this.options.methods['subscribe'] ?? 'subscribe').call(this.client, registration, (value: unknown) => {
      subscription.last = [value];
      traceSend(
        () => ({ kind: 'push', name: `${this.options.name}.${key}`, peer: 'app' }),
        (carrier) => {
          const pushed: Pushed = { key, value, carrier };
          if (this.options.isBroadcast) for (const each of subscription.subscribers) each.push(pushed);
          else oneOf(subscription.subscribers)?.push(pushed);
        },
      );
    });
  }

  /** The real subscription stays: the next subscriber finds its last value. */
  remove(key: string, subscriber: Subscriber): void {
    this.#subscriptions.get(key)?.subscribers.delete(subscriber);
  }

  /** A connection has gone. */
  drop(subscriber: Subscriber): void {
    for (const { subscribers } of this.#subscriptions.values()) subscribers.delete(subscriber);
  }

  subscribe(registration: unknown, listener: Listener): void {
    const key = this.options.formatKey(registration);
    // Values reach the listener as a Follower would get them: it may change them.
    const notify = (value: unknown): void => {
      try {
        listener(value);
      } catch (error) {
        this.options.onError(error as Error);
      }
    };
    const subscriber: Subscriber = { push: ({ value }) => process.nextTick(notify, copyValue(value)) };
    const listeners = this.#local.get(key) ?? new Map<Listener, Subscriber>();
    this.#local.set(key, listeners.set(listener, subscriber));
    this.add(key, registration, subscriber);
  }

  unSubscribe(registration: unknown, listener?: Listener): void {
    const key = this.options.formatKey(registration);
    const listeners = this.#local.get(key);
    for (const [each, subscriber] of listeners ?? []) {
      if (listener !== undefined && listener !== each) continue;
      listeners?.delete(each);
      this.remove(key, subscriber);
    }
  }

  publish(registration: unknown): void {
    try {
      const result = this.#method(this.options.methods['publish'] ?? 'publish').call(this.client, registration);
      if (result instanceof Promise) result.catch(this.options.onError);
    } catch (error) {
      this.options.onError(error as Error);
    }
  }

  /** Adds one more client of the same name in this process. */
  share(): this {
    this.#users += 1;
    return this;
  }

  /** The real client closes with its last user in this process. */
  async close(): Promise<void> {
    this.#users -= 1;
    if (this.#users !== 0) return;
    this.#onClose();
    this.#subscriptions.clear();
    if (typeof this.client['close'] === 'function') await (this.client['close'] as Method)();
  }
}

function oneOf(subscribers: Set<Subscriber>): Subscriber | undefined {
  return [...subscribers][Math.floor(Math.random() * subscribers.size)];
}
