import net, { type ListenOptions } from 'node:net';
import { debuglog } from 'node:util';
import { ClutchError } from '../errors.js';
import { type ErrorData, reviveError } from '../ipc/error_data.js';
import type { ChannelOptions } from './client_types.js';
import { FollowerChannel, type LeaderConnection, timeoutError } from './follower_channel.js';
import { FRAME, type Frame } from './frame.js';
import { FramedSocket } from './framed_socket.js';

const debug = debuglog('clutch:leader');

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
/** Milliseconds between two checks for calls that are overdue. */
const SWEEP = 50;

/** The connection of this process to the Leader, which all of its clients share; it reconnects whenever it is lost. */
export class Follower implements LeaderConnection {
  readonly #address: () => ListenOptions | undefined;
  readonly #token: string;
  readonly #channels = new Map<number, FollowerChannel>();
  readonly #pending = new Map<number, Pending>();
  #socket: FramedSocket | undefined;
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

  /** A new Agent is the Leader, at another address. */
  moved(): void {
    debug('the Leader has moved');
    if (this.#channels.size === 0) return;
    this.#retry = FIRST_RETRY;
    if (this.#socket) this.#socket.destroy();
    else this.#connect();
  }

  #connect(): void {
    if (this.#closed || this.#socket) return;
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
        framed.read((buffer as Buffer).subarray(0, bytes));
        return true;
      },
    };
    const socket = net.connect({ ...address, onread } as net.NetConnectOpts);
    const framed: FramedSocket = new FramedSocket(
      socket,
      {
        onFrame: (frame) => this.#onFrame(frame),
        onClose: (error) => this.#onClose(framed, error),
      },
      { authenticated: true },
    );
    this.#socket = framed;
    framed.write(FRAME.hello, 0, this.#token);
  }

  #later(): void {
    if (this.#closed || this.#channels.size === 0) return;
    clearTimeout(this.#timer);
    // Jitter keeps the Followers of a machine from reconnecting all at once.
    this.#timer = setTimeout(() => this.#connect(), this.#retry * (0.5 + Math.random() / 2));
    this.#retry = Math.min(this.#retry * 2, LONGEST_RETRY);
  }

  #onClose(socket: FramedSocket, error?: Error): void {
    if (this.#socket !== socket) return;
    debug('the connection to the Leader is lost: %s', error?.message ?? 'it ended');
    this.#socket = undefined;
    this.#open = false;
    for (const [id, { reject, channel, method }] of this.#pending) {
      this.#pending.delete(id);
      reject(
        new ClutchError('ERR_CLUTCH_LEADER_GONE', `the Leader has gone before it replied to ${method}`, {
          where: `client "${channel.options.name}"`,
          fix: 'The call may have been carried out or not. The client reconnects by itself.',
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
        const error = reviveError(payload as ErrorData);
        const pending = this.#pending.get(id);
        if (pending) {
          this.#pending.delete(id);
          pending.reject(error);
        } else this.#channels.get(id)?.refused(error);
        return;
      }
      case FRAME.push: {
        const [key, value, carrier] = payload as [string, unknown, unknown];
        this.#channels.get(id)?.onPush(key, value, carrier);
        return;
      }
      case FRAME.welcome:
        debug('connected to the Leader');
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
    this.#socket?.write(FRAME.register, channel.number, channel.options.name);
  }

  /** Channels and calls share one sequence, so that a reply belongs to one of them only. */
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
    if (this.#socket?.full) {
      throw new ClutchError('ERR_CLUTCH_MESSAGE', 'the Leader does not keep up: too much waits to be sent', {
        fix: 'Wait for replies before you send more.',
      });
    }
    this.#socket?.write(type, id, payload);
  }

  #checkHeartbeat(interval: number): void {
    clearInterval(this.#beat);
    this.#beat = setInterval(() => {
      if (!this.#open || !this.#socket) return;
      const silence = Date.now() - this.#socket.lastRead;
      if (silence > interval * 2) this.#socket.destroy(new Error(`the Leader was silent for ${silence} ms`));
      else this.#socket.write(FRAME.ping, 0);
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
    this.#socket?.destroy();
  }
}
