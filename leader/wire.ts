import type { Socket } from 'node:net';
import { type Frame, FrameReader, FrameWriter } from './frame.js';

/** Bytes that may wait for a peer that does not read. */
const QUEUE_LIMIT = 128 * 1024 * 1024;
/** Bytes from which on a peer's own frames are not read until it has read ours. */
const PAUSE_ABOVE = 4 * 1024 * 1024;

/** Frames after which a write does not wait for the end of the turn: the peer may work on them meanwhile. */
const BATCH = 16;

export interface WireListener {
  onFrame(frame: Frame): void;
  /** @param error why, when it is known: the peer's bytes were no frames */
  onClose(error?: Error): void;
}

/** A socket that speaks frames. All frames that are written in one turn of the event loop leave in one write. */
export class Wire {
  readonly #socket: Socket;
  readonly #writer = new FrameWriter();
  readonly #reader: FrameReader;
  #scheduled = false;
  #unsent = 0;
  #error: Error | undefined;
  /** When the peer was last heard of, in milliseconds since the epoch. */
  lastHeard = Date.now();

  constructor(socket: Socket, { onFrame, onClose }: WireListener, peer: { trusted: boolean }) {
    this.#socket = socket;
    this.#reader = new FrameReader(onFrame, peer);
    socket.on('data', (chunk) => this.read(chunk as Buffer));
    socket.on('error', (error) => {
      this.#error ??= error;
    });
    socket.on('close', () => onClose(this.#error));
    socket.on('drain', () => socket.resume());
  }

  trust(): void {
    this.#reader.trust();
  }

  /** Whether so much waits for the peer that no more should be added. */
  get full(): boolean {
    return this.#socket.writableLength > QUEUE_LIMIT;
  }

  /** Whether the peer reads more slowly than it is written to. */
  get slow(): boolean {
    return this.#socket.writableLength > PAUSE_ABOVE;
  }

  /** Takes bytes of the peer; the buffer may be used again when it returns. */
  read(chunk: Buffer): void {
    this.lastHeard = Date.now();
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
    this.#unsent += 1;
    if (this.#unsent >= BATCH) this.#flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      process.nextTick(this.#onTurn);
    }
  }

  readonly #onTurn = (): void => {
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
    // Who asks without reading the answers waits.
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
