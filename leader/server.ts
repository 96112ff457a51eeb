import net, { type ListenOptions, type Socket } from 'node:net';
import { ClutchError, toError } from '../errors.js';
import { describeError } from '../ipc/error_data.js';
import { listenPrivately } from '../ipc/socket_path.js';
import { FRAME, type Frame } from './frame.js';
import type { LeaderChannel, Subscriber } from './leader_channel.js';
import { Wire } from './wire.js';

const { timingSafeEqual } = process.getBuiltinModule('node:crypto');

/** Milliseconds that a stranger gets to show the token. */
const HELLO_TIMEOUT = 5000;
/** A port that the Agent before still holds is tried again after so many milliseconds. */
const RETRY = 50;

/** Serves the channels of this process to Followers that know the token. */
export class LeaderServer {
  readonly #server = net.createServer((socket) => this.#accept(socket));
  readonly #token: Buffer;
  readonly #channels = new Map<string, LeaderChannel>();
  readonly #connections = new Set<Connection>();
  /** Followers that asked for a channel before it was there. */
  readonly #waiting = new Map<string, Set<(channel: LeaderChannel) => void>>();
  readonly #onError: (error: Error) => void;
  #sweep: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(token: string, onError: (error: Error) => void) {
    this.#token = Buffer.from(token);
    this.#onError = onError;
  }

  listen(address: ListenOptions): void {
    const start = (): void => {
      if (this.#closed) return;
      // The cluster module must not share it: each Agent has its own.
      const options = { ...address, exclusive: true };
      if (options.path === undefined) this.#server.listen(options);
      else listenPrivately(this.#server, { ...options, path: options.path });
    };
    this.#server.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' && address.port !== undefined) setTimeout(start, RETRY).unref();
      else this.#onError(error);
    });
    this.#server.unref();
    start();
  }

  /** Drops Followers that have given no sign of life for three intervals. */
  checkHeartbeats(interval: number): void {
    clearInterval(this.#sweep);
    this.#sweep = setInterval(() => {
      for (const connection of this.#connections) connection.expire(interval * 3);
    }, interval);
    this.#sweep.unref();
  }

  #accept(socket: Socket): void {
    const connection = new Connection(socket, {
      accepts: (token) => this.#accepts(token),
      channel: (name) => this.#channel(name),
      onClose: (error) => {
        this.#connections.delete(connection);
        if (error && (error as NodeJS.ErrnoException).code === undefined) {
          this.#onError(new Error(`a Follower's connection was closed: ${error.message}`));
        }
      },
    });
    this.#connections.add(connection);
  }

  #accepts(token: unknown): boolean {
    if (typeof token !== 'string') return false;
    const given = Buffer.from(token);
    return given.length === this.#token.length && timingSafeEqual(given, this.#token);
  }

  add(name: string, channel: LeaderChannel): void {
    this.#channels.set(name, channel);
    for (const resolve of this.#waiting.get(name) ?? []) resolve(channel);
    this.#waiting.delete(name);
  }

  remove(name: string): void {
    this.#channels.delete(name);
  }

  async #channel(name: string): Promise<LeaderChannel> {
    const channel =
      this.#channels.get(name) ??
      (await new Promise<LeaderChannel>((resolve) => {
        const waiting = this.#waiting.get(name) ?? new Set();
        this.#waiting.set(name, waiting.add(resolve));
      }));
    await channel.ready();
    return channel;
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#sweep);
    this.#server.close();
    for (const connection of this.#connections) connection.close();
  }
}

interface ConnectionOwner {
  accepts(token: unknown): boolean;
  channel(name: string): Promise<LeaderChannel>;
  onClose(error?: Error): void;
}

/** One Follower process. */
class Connection {
  readonly #wire: Wire;
  readonly #owner: ConnectionOwner;
  readonly #stranger: NodeJS.Timeout;
  /** By the numbers that the Follower has given them. */
  readonly #channels = new Map<number, { channel: LeaderChannel; subscriber: Subscriber }>();
  #welcome = false;
  #closed = false;

  constructor(socket: Socket, owner: ConnectionOwner) {
    this.#owner = owner;
    const stranger = setTimeout(
      () => this.#wire.destroy(new Error('it has not shown the token in time')),
      HELLO_TIMEOUT,
    );
    stranger.unref();
    this.#wire = new Wire(
      socket,
      {
        onFrame: (frame) => this.#onFrame(frame),
        onClose: (error) => {
          clearTimeout(stranger);
          this.#closed = true;
          for (const { channel, subscriber } of this.#channels.values()) channel.drop(subscriber);
          this.#channels.clear();
          owner.onClose(error);
        },
      },
      { trusted: false },
    );
    this.#stranger = stranger;
  }

  #onFrame({ type, id, payload }: Frame): void {
    if (!this.#welcome) {
      this.#hello(type, payload);
      return;
    }
    switch (type) {
      case FRAME.ping:
        this.#write(FRAME.pong, id);
        break;
      case FRAME.register:
        void this.#register(id, payload);
        break;
      case FRAME.invoke:
        this.#invoke(id, payload);
        break;
      case FRAME.oneway:
      case FRAME.subscribe:
      case FRAME.unsubscribe:
      case FRAME.publish:
        this.#oneway(type, payload);
        break;
      default:
        throw new Error(`unknown type of frame: ${type}`);
    }
  }

  #hello(type: number, payload: unknown): void {
    if (type !== FRAME.hello || !this.#owner.accepts(payload)) throw new Error('it does not know the token');
    clearTimeout(this.#stranger);
    this.#welcome = true;
    this.#wire.trust();
    this.#write(FRAME.welcome, 0);
  }

  async #register(id: number, payload: unknown): Promise<void> {
    try {
      if (typeof payload !== 'string') throw new Error('a channel has a name');
      const channel = await this.#owner.channel(payload);
      if (this.#closed) return;
      const { transcode } = channel.options;
      const push = (key: string, value: unknown): void => {
        if (this.#wire.full) this.#wire.destroy(new Error('it does not read what it has subscribed to'));
        else this.#write(FRAME.push, id, [key, transcode ? transcode.encode(value) : value]);
      };
      this.#channels.set(id, { channel, subscriber: { push } });
      this.#write(FRAME.result, id);
    } catch (error) {
      this.#fail(id, error);
    }
  }

  #invoke(id: number, payload: unknown): void {
    try {
      const [number, method, args, callback] = payload as [number, string, unknown[], number];
      const { channel } = this.#get(number);
      const { transcode } = channel.options;
      const decoded = transcode ? args.map((arg) => transcode.decode(arg as Buffer)) : args;
      const result = channel.call(method, decoded, callback === 1) as Promise<unknown> | undefined;
      if (typeof result?.then !== 'function') this.#answer(id, channel, result);
      else
        result.then(
          (value) => this.#answer(id, channel, value),
          (error: unknown) => this.#fail(id, error),
        );
    } catch (error) {
      this.#fail(id, error);
    }
  }

  #answer(id: number, { options: { transcode } }: LeaderChannel, value: unknown): void {
    try {
      this.#write(FRAME.result, id, transcode && value !== undefined ? transcode.encode(value) : value);
    } catch (error) {
      // The value cannot be sent; that it cannot, can.
      this.#fail(id, error);
    }
  }

  #oneway(type: number, payload: unknown): void {
    const [number, what, ...rest] = payload as [number, unknown, ...unknown[]];
    const { channel, subscriber } = this.#get(number);
    const { transcode } = channel.options;
    const decode = (value: unknown): unknown => (transcode ? transcode.decode(value as Buffer) : value);
    try {
      if (type === FRAME.oneway) channel.invokeOneway(what as string, (rest[0] as unknown[]).map(decode));
      else if (type === FRAME.publish) channel.publish(decode(what));
      else if (type === FRAME.subscribe) channel.add(what as string, decode(rest[0]), subscriber);
      else channel.remove(what as string, subscriber);
    } catch (error) {
      // What the real client throws is no fault of the connection.
      channel.options.onError(toError(error));
    }
  }

  #get(number: number): { channel: LeaderChannel; subscriber: Subscriber } {
    const found = this.#channels.get(number);
    if (found) return found;
    throw new ClutchError('ERR_CLUTCH_CLIENT', `no channel has the number ${number}`);
  }

  #write(type: number, id: number, payload?: unknown): void {
    if (!this.#closed) this.#wire.write(type, id, payload);
  }

  #fail(id: number, thrown: unknown): void {
    this.#write(FRAME.failure, id, describeError(thrown));
  }

  expire(silence: number): void {
    if (Date.now() - this.#wire.lastHeard > silence) this.#wire.destroy(new Error(`it was silent for ${silence} ms`));
  }

  close(): void {
    this.#wire.close();
  }
}
