import type { Socket } from 'node:net';
import { FRAME_QUEUE } from '../ipc/limits.js';
import { type EncodedPayload, type Frame, FrameReader, FrameWriter } from './frame.js';

/** Bytes of unread frames above which we stop reading from the peer. */
const PAUSE_ABOVE = 4 * 1024 * 1024;

/** Frames that are written at once, without waiting for the end of the tick: the peer may work on them meanwhile. */
const BATCH = 16;

export interface FramedSocketListener {
  onFrame(frame: Frame): void;
  /** @param error why it was closed, when that is known: for example, the peer's bytes were no frames */
  onClose(error?: Error): void;
}

/** A socket that carries frames. All frames that are written in one tick leave in one write. */
export class FramedSocket {
  readonly #socket: Socket;
  readonly #writer = new FrameWriter();
  readonly #reader: FrameReader;
  #scheduled = false;
  #unsent = 0;
  #error: Error | undefined;
  /** When the last bytes of the peer came, in milliseconds since the epoch. */
  lastRead = Date.now();

  constructor(socket: Socket, { onFrame, onClose }: FramedSocketListener, peer: { authenticated: boolean }) {
    this.#socket = socket;
    this.#reader = new FrameReader(onFrame, peer);
    socket.on('data', (chunk) => this.read(chunk as Buffer));
    socket.on('error', (error) => {
      this.#error ??= error;
    });
    socket.on('close', () => onClose(this.#error));
    socket.on('drain', () => socket.resume());
  }

  authenticate(): void {
    this.#reader.authenticate();
  }

  /** Whether so much waits for the peer that nothing more may be added. */
  get full(): boolean {
    return this.#socket.writableLength > FRAME_QUEUE;
  }

  /** Whether the peer reads more slowly than it is written to. */
  get slow(): boolean {
    return this.#socket.writableLength > PAUSE_ABOVE;
  }

  /** Reads bytes of the peer; the buffer may be reused afterwards. */
  read(chunk: Buffer): void {
    this.lastRead = Date.now();
    try {
      this.#reader.read(chunk);
    } catch (error) {
      this.#error = error as Error;
      this.#socket.destroy();
    }
  }

  /** @throws {ClutchError} ERR_CLUTCH_MESSAGE when the payload cannot be sent */
  write(type: number, id: number, payload?: unknown): void {
    this.#writer.write(type, id, payload);
    this.#schedule();
  }

  /** @throws {ClutchError} ERR_CLUTCH_MESSAGE when the payload is too large */
  writeEncoded(type: number, id: number, payload: EncodedPayload): void {
    this.#writer.writeEncoded(type, id, payload);
    this.#schedule();
  }

  #schedule(): void {
    this.#unsent += 1;
    if (this.#unsent >= BATCH) this.#flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      process.nextTick(this.#onTick);
    }
  }

  readonly #onTick = (): void => {
    this.#scheduled = false;
    if (this.#unsent > 0) this.#flush();
  };

  #flush(): void {
    this.#unsent = 0;
    if (this.#socket.destroyed) return;
    const buffers = this.#writer.take();
    if (buffers.length > 1) this.#socket.cork();
    for (const buffer of buffers) this.#socket.write(buffer);
    if (buffers.length > 1) this.#socket.uncork();
    // Backpressure: stop reading from a peer that does not read our replies.
    if (this.slow) this.#socket.pause();
  }

  close(): void {
    this.#flush();
    this.#socket.end();
  }

  destroy(error?: Error): void {
    this.#error ??= error;
    this.#socket.destroy();
  }
}
