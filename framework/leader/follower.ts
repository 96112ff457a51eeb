import net, { type ListenOptions } from 'node:net';
import { ClutchError } from '../../errors.js';
import type { Channel, ChannelOptions, Listener } from './client_types.js';
import { FRAME, type Frame } from './frame.js';
import type { FailureData } from './server.js';
import { Wire } from './wire.js';

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
  channel: FollowerChannel;
  method: string;
  deadline: number;
}

/** Milliseconds between two attempts to reach the Leader, at first and at most. */
const FIRST_RETRY = 20;
const LONGEST_RETRY = 1000;
const READ_BUFFER = 64 * 1024;
/** Milliseconds between two looks for calls that are overdue. */
const SWEEP = 50;

/** This process's one connection to the Leader, for all of its clients; it comes back whenever it is lost. */
export class Follower {
  readonly #address: () => ListenOptions | undefined;
  readonly #token: string;
  readonly #channels = new Map<number, FollowerChannel>();
  readonly #pending = new Map<number, Pending>();
  #wire: Wire | undefined;
  #open = false;
  #retry = FIRST_RETRY;
  #timer: NodeJS.Timeout | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #beat: NodeJS.Timeout | undefined;
  #lastId = 0;
  #closed = false;

  /** @param address where the Leader is now; undefined while there is no Agent */
  constructor(address: () => ListenOptions | undefined, token: string) {
    this.#address = address;
    this.#token = token;
  }

  /** @returns the channel of that name, which connects by itself */
  channel(options: ChannelOptions): FollowerChannel {
    const number = this.#nextId();
    const channel = new FollowerChannel(this, number, options);
    this.#channels.set(number, channel);
    this.#checkHeartbeat(options.heartbeatInterval);
    if (this.#open) this.#register(channel);
    else this.#connect();
    return channel;
  }

  /** The Leader is elsewhere now: a new Agent has taken over. */
  moved(): void {
    if (this.#channels.size === 0) return;
    this.#retry = FIRST_RETRY;
    if (this.#wire) this.#wire.destroy();
    else this.#connect();
  }

  #connect(): void {
    if (this.#closed || this.#wire) return;
    clearTimeout(this.#timer);
    const address = this.#address();
    if (!address) {
      this.#later();
      return;
    }
    const onread = {
      // One buffer for the life of the connection, instead of one for each read.
      buffer: Buffer.allocUnsafeSlow(READ_BUFFER),
      callback: (bytes: number, buffer: Uint8Array): boolean => {
        wire.read((buffer as Buffer).subarray(0, bytes));
        return true;
      },
    };
    const socket = net.connect({ ...address, onread } as net.NetConnectOpts);
    const wire: Wire = new Wire(
      socket,
      {
        onFrame: (frame) => this.#onFrame(frame),
        onClose: (error) => this.#onClose(wire, error),
      },
      { trusted: true },
    );
    this.#wire = wire;
    wire.write(FRAME.hello, 0, this.#token);
  }

  #later(): void {
    if (this.#closed || this.#channels.size === 0) return;
    clearTimeout(this.#timer);
    // With some jitter, so that the Followers of a machine do not come all at once.
    this.#timer = setTimeout(() => this.#connect(), this.#retry * (0.5 + Math.random() / 2));
    this.#retry = Math.min(this.#retry * 2, LONGEST_RETRY);
  }

  #onClose(wire: Wire, error?: Error): void {
    if (this.#wire !== wire) return;
    this.#wire = undefined;
    this.#open = false;
    for (const [id, { reject, channel, method }] of this.#pending) {
      this.#pending.delete(id);
      reject(
        new ClutchError('ERR_CLUTCH_LEADER_GONE', `the Leader has gone before it answered ${method}`, {
          where: `client "${channel.options.name}"`,
          fix: 'It may have been carried out or not. The client reconnects by itself.',
          cause: error,
        }),
      );
    }
    for (const channel of this.#channels.values()) channel.lost();
    this.#later();
  }

  #onFrame({ type, id, payload }: Frame): void {
    switch (type) {
      case FRAME.result: {
        const pending = this.#pending.get(id);
        if (pending) {
          this.#pending.delete(id);
          pending.resolve(payload);
        } else this.#channels.get(id)?.registered();
        return;
      }
      case FRAME.failure: {
        const error = revive(payload as FailureData);
        const pending = this.#pending.get(id);
        if (pending) {
          this.#pending.delete(id);
          pending.reject(error);
        } else this.#channels.get(id)?.refused(error);
        return;
      }
      case FRAME.push: {
        const [key, value] = payload as [string, unknown];
        this.#channels.get(id)?.onPush(key, value);
        return;
      }
      case FRAME.welcome:
        this.#open = true;
        this.#retry = FIRST_RETRY;
        for (const channel of this.#channels.values()) this.#register(channel);
        return;
      case FRAME.pong:
        return;
      default:
        throw new Error(`unknown type of frame: ${type}`);
    }
  }

  #register(channel: FollowerChannel): void {
    this.#wire?.write(FRAME.register, channel.number, channel.options.name);
  }

  /** Channels and calls share one sequence, so that an answer tells which of them it is for. */
  #nextId(): number {
    do this.#lastId = (this.#lastId + 1) >>> 0;
    while (this.#pending.has(this.#lastId) || this.#channels.has(this.#lastId));
    return this.#lastId;
  }

  call(channel: FollowerChannel, method: string, payload: unknown[], deadline: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId();
      this.send(FRAME.invoke, id, payload);
      this.#pending.set(id, { resolve, reject, channel, method, deadline });
      this.#sweep ??= setInterval(() => this.#expire(), SWEEP).unref();
    });
  }

  #expire(): void {
    const now = Date.now();
    for (const [id, { deadline, reject, channel, method }] of this.#pending) {
      if (deadline > now) continue;
      this.#pending.delete(id);
      reject(timeoutError(channel.options, method));
    }
    if (this.#pending.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  /** @throws {ClutchError} ERR_CLUTCH_MESSAGE when the payload cannot be sent, or too much waits already */
  send(type: number, id: number, payload: unknown): void {
    if (this.#wire?.full) {
      throw new ClutchError('ERR_CLUTCH_MESSAGE', 'the Leader does not keep up: too much waits to be sent', {
        fix: 'Wait for answers before you send more.',
      });
    }
    this.#wire?.write(type, id, payload);
  }

  #checkHeartbeat(interval: number): void {
    clearInterval(this.#beat);
    this.#beat = setInterval(() => {
      if (!this.#open || !this.#wire) return;
      const silence = Date.now() - this.#wire.lastHeard;
      if (silence > interval * 2) this.#wire.destroy(new Error(`the Leader was silent for ${silence} ms`));
      else this.#wire.write(FRAME.ping, 0);
    }, interval);
    this.#beat.unref();
  }

  remove(channel: FollowerChannel): void {
    this.#channels.delete(channel.number);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#sweep);
    clearInterval(this.#beat);
    this.#wire?.destroy();
  }
}

function timeoutError({ name, responseTimeout }: ChannelOptions, method: string): Error {
  const error = new ClutchError('ERR_CLUTCH_TIMEOUT', `${method} was not answered within ${responseTimeout} ms`, {
    where: `client "${name}"`,
    fix: 'Raise responseTimeout, or find out what keeps the Agent busy.',
  });
  // The name that callers of Egg's client look at.
  error.name = 'ResponseTimeoutError';
  return error;
}

function revive({ name, message, stack, code }: FailureData): Error {
  const error = new Error(message);
  Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true });
  if (stack !== undefined) Object.defineProperty(error, 'stack', { value: stack, configurable: true, writable: true });
  return code === undefined ? error : Object.assign(error, { code });
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
  readonly #follower: Follower;
  readonly #subscribed = new Map<string, Subscribed>();
  /** The last one of each key, to be said again to a new Leader. */
  readonly #published = new Map<string, unknown>();
  #connected = false;
  #waiting = new Set<(error?: Error) => void>();

  constructor(follower: Follower, number: number, options: ChannelOptions) {
    this.#follower = follower;
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
  #connection(limit: number, late: () => Error): Promise<void> {
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
    return this.#connection(
      maxWaitTime,
      () =>
        new ClutchError('ERR_CLUTCH_TIMEOUT', `no Leader for client "${name}" within ${maxWaitTime} ms`, {
          fix: `Create it in the Agent, too: agent.cluster(…).create(…) in agent.js.`,
        }),
    );
  }

  invoke(method: string, args: unknown[], callback: boolean): Promise<unknown> {
    const { responseTimeout } = this.options;
    const deadline = Date.now() + responseTimeout;
    if (this.#connected) return this.#call(method, args, callback, deadline);
    const connected = this.#connection(responseTimeout, () => timeoutError(this.options, method));
    return connected.then(() => this.#call(method, args, callback, deadline));
  }

  #call(method: string, args: unknown[], callback: boolean, deadline: number): Promise<unknown> {
    const { transcode } = this.options;
    const encoded = transcode ? args.map((arg) => transcode.encode(arg)) : args;
    const payload = callback ? [this.number, method, encoded, 1] : [this.number, method, encoded];
    const answer = this.#follower.call(this, method, payload, deadline);
    return transcode
      ? answer.then((value) => (value === undefined ? value : transcode.decode(value as Buffer)))
      : answer;
  }

  invokeOneway(method: string, args: unknown[]): void {
    const { transcode, responseTimeout } = this.options;
    const send = (): void => {
      const encoded = transcode ? args.map((arg) => transcode.encode(arg)) : args;
      this.#follower.send(FRAME.oneway, 0, [this.number, method, encoded]);
    };
    if (this.#connected) send();
    // One way: nobody waits for it, and a Leader that does not come takes the call with it.
    else this.#connection(responseTimeout, () => timeoutError(this.options, method)).then(send, () => undefined);
  }

  subscribe(registration: unknown, listener: Listener): void {
    const key = this.options.formatKey(registration);
    const existing = this.#subscribed.get(key);
    if (existing) {
      existing.listeners.add(listener);
      const { last } = existing;
      if (last && this.options.isBroadcast) process.nextTick(() => this.#tell(listener, last[0]));
      return;
    }
    this.#subscribed.set(key, { registration, listeners: new Set([listener]), last: undefined });
    if (this.#connected) this.#sendSubscribe(key, registration);
  }

  #sendSubscribe(key: string, registration: unknown): void {
    const { transcode } = this.options;
    const encoded = transcode ? transcode.encode(registration) : registration;
    this.#follower.send(FRAME.subscribe, 0, [this.number, key, encoded]);
  }

  unSubscribe(registration: unknown, listener?: Listener): void {
    const key = this.options.formatKey(registration);
    const subscribed = this.#subscribed.get(key);
    if (!subscribed) return;
    if (listener) subscribed.listeners.delete(listener);
    else subscribed.listeners.clear();
    if (subscribed.listeners.size > 0) return;
    this.#subscribed.delete(key);
    if (this.#connected) this.#follower.send(FRAME.unsubscribe, 0, [this.number, key]);
  }

  onPush(key: string, value: unknown): void {
    const subscribed = this.#subscribed.get(key);
    if (!subscribed) return;
    const { transcode, isBroadcast } = this.options;
    const decoded = transcode ? transcode.decode(value as Buffer) : value;
    subscribed.last = [decoded];
    const listeners = [...subscribed.listeners];
    const chosen = isBroadcast ? listeners : [listeners[Math.floor(Math.random() * listeners.length)] as Listener];
    for (const listener of chosen) this.#tell(listener, decoded);
  }

  /** A listener that throws must not take the connection with it. */
  #tell(listener: Listener, value: unknown): void {
    try {
      listener(value);
    } catch (error) {
      this.options.onError(error as Error);
    }
  }

  publish(registration: unknown): void {
    this.#published.set(this.options.formatKey(registration), registration);
    if (this.#connected) this.#sendPublish(registration);
  }

  #sendPublish(registration: unknown): void {
    const { transcode } = this.options;
    const encoded = transcode ? transcode.encode(registration) : registration;
    this.#follower.send(FRAME.publish, 0, [this.number, encoded]);
  }

  async close(): Promise<void> {
    for (const [key] of this.#subscribed) {
      if (this.#connected) this.#follower.send(FRAME.unsubscribe, 0, [this.number, key]);
    }
    this.#subscribed.clear();
    this.#published.clear();
    const closed = new ClutchError('ERR_CLUTCH_CLIENT', `client "${this.options.name}" was closed`);
    for (const settle of this.#settleAll()) settle(closed);
    this.#follower.remove(this);
  }
}
