import { EventEmitter } from 'node:events';
import { ClutchError } from '../errors.js';
import { type Sent, traceSend } from '../tracing/trace_message.js';
import type { Channel, Listener } from './client_types.js';

/** What a method of the client becomes. */
export type Delegate = 'subscribe' | 'unSubscribe' | 'publish' | 'invoke' | 'invokeOneway' | 'close';

export const DELEGATES: readonly Delegate[] = [
  'subscribe',
  'unSubscribe',
  'publish',
  'invoke',
  'invokeOneway',
  'close',
];

type ReadyListener = (error?: Error) => void;

/**
 * The client that an application gets from `app.cluster(…).create(…)`: the same in the Agent, where the real client is,
 * and in app workers. The methods of the real client are added to it as they are delegated.
 */
export class ClusterClient extends EventEmitter {
  readonly #channel: Channel;
  readonly #onClose: () => void;
  #ready: Promise<void>;
  #closed = false;

  constructor(channel: Channel, onError: (error: Error) => void, onClose: () => void) {
    super();
    this.#channel = channel;
    this.#onClose = onClose;
    this.#ready = channel.ready();
    this.#ready.catch((error: Error) => {
      if (!this.#closed) onError(error);
    });
    this.on('error', (error: Error) => {
      // This listener is the only one: log the error, since nobody else handles it.
      if (this.listenerCount('error') === 1) onError(error);
    });
  }

  /** Whether the real client is in this process. */
  get isClusterClientLeader(): boolean {
    return this.#channel.isLeader;
  }

  /** Follows sdk-base: a promise, a callback, or sets the state. */
  ready(): Promise<void>;
  ready(listener: ReadyListener | boolean | Error): void;
  ready(listener?: ReadyListener | boolean | Error): Promise<void> | void {
    if (listener === undefined) return this.#ready;
    if (typeof listener === 'function') {
      this.#ready.then(
        () => listener(),
        (error: Error) => listener(error),
      );
    } else {
      this.#ready = listener === true ? Promise.resolve() : Promise.reject(listener || new Error('not ready'));
      this.#ready.catch(() => undefined);
    }
  }

  /** Adds a method that does what `to` says under the name `from`. */
  addDelegate(from: string, to: Delegate): void {
    Object.defineProperty(this, from, { value: this.#delegate(from, to), configurable: true, writable: true });
  }

  #delegate(from: string, to: Delegate): (...args: unknown[]) => unknown {
    const channel = this.#channel;
    switch (to) {
      case 'subscribe':
        return (registration, listener) => {
          channel.subscribe(registration, listener as Listener);
          return this;
        };
      case 'unSubscribe':
        return (registration, listener) => {
          channel.unSubscribe(registration, listener as Listener | undefined);
          return this;
        };
      case 'publish':
        return (registration) => {
          traceSend(
            () => this.#describe('publish', channel.options.formatKey(registration)),
            (carrier) => channel.publish(registration, carrier),
          );
          return this;
        };
      case 'invoke':
        return (...args) => this.#invoke(from, args);
      case 'invokeOneway':
        return (...args) =>
          traceSend(
            () => this.#describe('oneway', from),
            (carrier) => channel.invokeOneway(from, args, carrier),
          );
      case 'close':
        return () => ClusterClient.prototype.close.call(this);
    }
  }

  #describe(kind: Sent['kind'], what: string): Sent {
    const { isLeader, options } = this.#channel;
    return { kind, name: `${options.name}.${what}`, peer: isLeader ? String(process.pid) : 'agent' };
  }

  #invoke(method: string, args: unknown[]): Promise<unknown> | undefined {
    const callback = args.at(-1);
    const what = (): Sent => this.#describe('invoke', method);
    if (typeof callback !== 'function') {
      return traceSend(what, (carrier) => this.#channel.invoke(method, args, false, carrier));
    }
    traceSend(what, (carrier) => this.#channel.invoke(method, args.slice(0, -1), true, carrier)).then(
      (value) => callback(null, value),
      (error: Error) => callback(error),
    );
    return undefined;
  }

  /** Closes the client; the real one closes with its last client in the Agent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClose();
    await this.#channel.close();
    this.emit('close');
  }
}

type AnyClass<T, A extends unknown[]> = abstract new (...args: A) => T;

/** The methods of a class that become methods of its cluster client, by name. */
export function delegatesOf<T, A extends unknown[]>(
  Class: AnyClass<T, A>,
  explicit: ReadonlyMap<string, Delegate>,
  autoGenerate: boolean,
): Map<string, Delegate> {
  const all = new Map(explicit);
  for (const [from, to] of explicit) {
    if (to !== 'close' && typeof Class.prototype[from] !== 'function') {
      throw new ClutchError('ERR_CLUTCH_CLIENT', `the client has no method ${from}`, {
        where: `class ${Class.name}, delegated to ${to}`,
        fix: 'Delegate a method that the class has.',
      });
    }
  }
  if (!autoGenerate) return all;
  const taken = new Set(explicit.values());
  for (const name of ['subscribe', 'unSubscribe', 'publish', 'close'] as const) {
    if (typeof Class.prototype[name] === 'function' && !taken.has(name) && !all.has(name)) all.set(name, name);
  }
  for (const name of methodNames(Class.prototype as object)) {
    const method = (Class.prototype as Record<string, unknown>)[name];
    if (!all.has(name) && !name.startsWith('_') && isAsync(method)) all.set(name, 'invoke');
  }
  // ClusterClient has these itself.
  for (const name of ['ready', 'constructor', 'isClusterClientLeader']) all.delete(name);
  return all;
}

function methodNames(prototype: object): Set<string> {
  const names = new Set<string>();
  for (
    let at = prototype;
    at && at !== Object.prototype && at !== EventEmitter.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    // Methods of sdk-base are not part of the client.
    if (at !== prototype && Object.hasOwn(at, 'readyOrTimeout')) break;
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (typeof value === 'function') names.add(name);
    }
  }
  return names;
}

function isAsync(method: unknown): boolean {
  return typeof method === 'function' && /^Async(?:Generator)?Function$/.test(method.constructor.name);
}
