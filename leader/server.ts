import net, { type ListenOptions, type Socket } from 'node:net';
import { debuglog } from 'node:util';
import { ClutchError, toError } from '../errors.js';
import { describeError } from '../ipc/error_data.js';
import { parseCarrier } from '../ipc/message.js';
import { listenPrivately } from '../ipc/socket_path.js';
import { LogLimiter } from '../output/log_limiter.js';
import { traceReceive } from '../tracing/trace_message.js';
import { encodePayload, FRAME, type Frame } from './frame.js';
import { FramedSocket } from './framed_socket.js';
import type { LeaderChannel, Pushed, Subscriber } from './leader_channel.js';

const { timingSafeEqual } = process.getBuiltinModule('node:crypto');
const debug = debuglog('clutch:leader');

/** Milliseconds in which a peer must show the token. */
const HELLO_TIMEOUT = 5000;
/** Milliseconds until a port that the previous Agent still holds is tried again. */
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
  /** Anyone who reaches the socket can cause refusals. */
  readonly #refusals: LogLimiter;
  #sweep: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(token: string, onError: (error: Error) => void) {
    this.#token = Buffer.from(token);
    this.#onError = onError;
    this.#refusals = new LogLimiter((message) => onError(new Error(message)));
  }

  listen(address: ListenOptions): void {
    const start = (): void => {
      if (this.#closed) return;
      // Each Agent has its own, which Node's cluster module must not share.
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

  /** Drops Followers that sent no heartbeat for three intervals. */
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
        debug('a connection was closed: %s', error?.message ?? 'it ended');
        if (error && (error as NodeJS.ErrnoException).code === undefined) {
          this.#refusals.log(`a connection to the Leader was closed: ${error.message}`);
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
  readonly #socket: FramedSocket;
  readonly #owner: ConnectionOwner;
  readonly #unauthenticated: NodeJS.Timeout;
  /** By the number that the Follower has chosen. */
  readonly #channels = new Map<number, { channel: LeaderChannel; subscriber: Subscriber }>();
  #welcome = false;
  #closed = false;

  constructor(socket: Socket, owner: ConnectionOwner) {
    this.#owner = owner;
    const unauthenticated = setTimeout(
      () => this.#socket.destroy(new Error('the peer did not show the token in time')),
      HELLO_TIMEOUT,
    );
    unauthenticated.unref();
    this.#socket = new FramedSocket(
      socket,
      {
        onFrame: (frame) => this.#onFrame(frame),
        onClose: (error) => {
          clearTimeout(unauthenticated);
          this.#closed = true;
          for (const { channel, subscriber } of this.#channels.values()) channel.drop(subscriber);
          this.#channels.clear();
          owner.onClose(error);
        },
      },
      { authenticated: false },
    );
    this.#unauthenticated = unauthenticated;
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
    if (type !== FRAME.hello || !this.#owner.accepts(payload)) throw new Error('the peer does not know the token');
    clearTimeout(this.#unauthenticated);
    this.#welcome = true;
    this.#socket.authenticate();
    debug('a Follower is authenticated');
    this.#write(FRAME.welcome, 0);
  }

  async #register(id: number, payload: unknown): Promise<void> {
    try {
      if (typeof payload !== 'string') throw new Error('the name of a channel must be a string');
      const channel = await this.#owner.channel(payload);
      if (this.#closed) return;
      const { transcode } = channel.options;
      const push = (pushed: Pushed): void => {
        if (this.#socket.full) {
          this.#socket.destroy(new Error('the Follower does not read the values it has subscribed to'));
          return;
        }
        const { key, value, carrier } = pushed;
        const encoded = transcode ? transcode.encode(value) : value;
        pushed.encoded ??= encodePayload(carrier ? [key, encoded, carrier] : [key, encoded]);
        if (!this.#closed) this.#socket.writeEncoded(FRAME.push, id, pushed.encoded);
      };
      this.#channels.set(id, { channel, subscriber: { push } });
      this.#write(FRAME.result, id);
    } catch (error) {
      this.#fail(id, error);
    }
  }

  #invoke(id: number, payload: unknown): void {
    try {
      const [number, method, args, callback, carrier] = payload as [number, string, unknown[], number, unknown];
      const { channel } = this.#get(number);
      const { transcode } = channel.options;
      const decoded = transcode ? args.map((arg) => transcode.decode(arg as Buffer)) : args;
      const result = traceReceive(
        () => ({
          kind: 'invoke',
          name: `${channel.options.name}.${method}`,
          peer: 'app',
          carrier: parseCarrier(carrier),
        }),
        () => channel.call(method, decoded, callback === 1) as Promise<unknown> | undefined,
      );
      if (typeof result?.then !== 'function') this.#reply(id, channel, result);
      else
        result.then(
          (value) => this.#reply(id, channel, value),
          (error: unknown) => this.#fail(id, error),
        );
    } catch (error) {
      this.#fail(id, error);
    }
  }

  #reply(id: number, { options: { transcode } }: LeaderChannel, value: unknown): void {
    try {
      this.#write(FRAME.result, id, transcode && value !== undefined ? transcode.encode(value) : value);
    } catch (error) {
      // The value cannot be sent; the reason can.
      this.#fail(id, error);
    }
  }

  #oneway(type: number, payload: unknown): void {
    const [number, what, ...rest] = payload as [number, unknown, ...unknown[]];
    const { channel, subscriber } = this.#get(number);
    const { transcode } = channel.options;
    const decode = (value: unknown): unknown => (transcode ? transcode.decode(value as Buffer) : value);
    try {
      if (type === FRAME.oneway) {
        traceReceive(
          () => ({
            kind: 'oneway',
            name: `${channel.options.name}.${what}`,
            peer: 'app',
            carrier: parseCarrier(rest[1]),
          }),
          () => channel.invokeOneway(what as string, (rest[0] as unknown[]).map(decode)),
        );
      } else if (type === FRAME.publish) {
        const registration = decode(what);
        traceReceive(
          () => ({
            kind: 'publish',
            name: `${channel.options.name}.${channel.options.formatKey(registration)}`,
            peer: 'app',
            carrier: parseCarrier(rest[0]),
          }),
          () => channel.publish(registration),
        );
      } else if (type === FRAME.subscribe) channel.add(what as string, decode(rest[0]), subscriber);
      else channel.remove(what as string, subscriber);
    } catch (error) {
      // The real client has thrown; the connection stays.
      channel.options.onError(toError(error));
    }
  }

  #get(number: number): { channel: LeaderChannel; subscriber: Subscriber } {
    const found = this.#channels.get(number);
    if (found) return found;
    throw new ClutchError('ERR_CLUTCH_CLIENT', `no channel has the number ${number}`);
  }

  #write(type: number, id: number, payload?: unknown): void {
    if (!this.#closed) this.#socket.write(type, id, payload);
  }

  #fail(id: number, thrown: unknown): void {
    this.#write(FRAME.failure, id, describeError(thrown));
  }

  expire(silence: number): void {
    if (Date.now() - this.#socket.lastRead > silence)
      this.#socket.destroy(new Error(`the Follower was silent for ${silence} ms`));
  }

  close(): void {
    this.#socket.close();
  }
}
