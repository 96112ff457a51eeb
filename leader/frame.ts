import { ClutchError } from '../errors.js';
import { FRAME_PAYLOAD, UNAUTHENTICATED_FRAME_PAYLOAD } from '../ipc/limits.js';
import { decodeValue, type Encoding, encodeRich, isJsonBest, JSON_TEXT, V8_FORMAT } from './value.js';

/**
 * A frame: length of the payload (4 bytes), type and encoding (1 byte: the lowest bit is the encoding), id of the
 * request (4 bytes), all big-endian, then the payload.
 */
export const HEADER = 9;

export const FRAME = {
  /** Follower → Leader. */
  hello: 0,
  register: 1,
  invoke: 2,
  oneway: 3,
  subscribe: 4,
  unsubscribe: 5,
  publish: 6,
  ping: 7,
  /** Leader → Follower. */
  welcome: 16,
  result: 17,
  failure: 18,
  push: 19,
  pong: 20,
} as const;

export interface Frame {
  type: number;
  id: number;
  payload: unknown;
}

/** A payload that goes to several peers. */
export interface EncodedPayload {
  readonly encoding: Encoding;
  readonly bytes: Buffer;
}

/** @throws {ClutchError} ERR_CLUTCH_MESSAGE when the payload cannot be copied */
export function encodePayload(payload: unknown): EncodedPayload {
  if (isJsonBest(payload)) return { encoding: JSON_TEXT, bytes: Buffer.from(JSON.stringify(payload)) };
  return { encoding: V8_FORMAT, bytes: copyable(payload) };
}

const SLAB = 64 * 1024;

/** Writes frames one after the other into buffers; each part of a buffer is given out once. */
export class FrameWriter {
  #slab = Buffer.allocUnsafeSlow(SLAB);
  #begin = 0;
  #end = 0;
  #full: Buffer[] = [];

  /** @throws {ClutchError} ERR_CLUTCH_MESSAGE when the payload cannot be copied, or is too large */
  write(type: number, id: number, payload: unknown): void {
    if (payload === undefined) {
      this.#header(type << 1, id, 0, 0);
    } else if (isJsonBest(payload)) {
      this.#text((type << 1) | JSON_TEXT, id, JSON.stringify(payload));
    } else {
      this.#bytes((type << 1) | V8_FORMAT, id, copyable(payload));
    }
  }

  /** @throws {ClutchError} ERR_CLUTCH_MESSAGE when the payload is too large */
  writeEncoded(type: number, id: number, { encoding, bytes }: EncodedPayload): void {
    this.#bytes((type << 1) | encoding, id, bytes);
  }

  #text(kind: number, id: number, text: string): void {
    // A UTF-16 code unit takes at most three bytes in UTF-8.
    const most = text.length * 3;
    if (HEADER + most > SLAB) {
      this.#bytes(kind, id, Buffer.from(text));
      return;
    }
    const at = this.#header(kind, id, 0, most);
    const length = this.#slab.write(text, at);
    this.#slab.writeUInt32BE(length, at - HEADER);
    this.#end = at + length;
  }

  #bytes(kind: number, id: number, bytes: Buffer): void {
    checkSize(bytes.length);
    // Copying a few kilobytes takes less than one more buffer in a write.
    const at = this.#header(kind, id, bytes.length, bytes.length < SLAB / 4 ? bytes.length : 0);
    if (at + bytes.length <= this.#slab.length) {
      this.#end = at + bytes.copy(this.#slab, at);
    } else {
      this.#closeSlab();
      this.#full.push(bytes);
    }
  }

  /** @param room bytes of the slab that the payload needs; @returns where the payload begins */
  #header(kind: number, id: number, length: number, room: number): number {
    if (this.#slab.length - this.#end < HEADER + room) {
      this.#closeSlab();
      this.#slab = Buffer.allocUnsafeSlow(SLAB);
      this.#begin = this.#end = 0;
    }
    const at = this.#end;
    this.#slab.writeUInt32BE(length, at);
    this.#slab[at + 4] = kind;
    this.#slab.writeUInt32BE(id, at + 5);
    this.#end = at + HEADER;
    return this.#end;
  }

  #closeSlab(): void {
    if (this.#end > this.#begin) this.#full.push(this.#slab.subarray(this.#begin, this.#end));
    this.#begin = this.#end;
  }

  /** @returns what has been written since the last call */
  take(): Buffer[] {
    this.#closeSlab();
    const taken = this.#full;
    this.#full = [];
    return taken;
  }
}

function copyable(payload: unknown): Buffer {
  try {
    return encodeRich(payload);
  } catch (cause) {
    throw new ClutchError('ERR_CLUTCH_MESSAGE', `a value cannot be sent: ${(cause as Error).message}`, {
      fix: 'Send data: no functions, sockets or the like.',
      cause,
    });
  }
}

function checkSize(length: number): void {
  if (length <= FRAME_PAYLOAD) return;
  throw new ClutchError('ERR_CLUTCH_MESSAGE', `a value of ${length} bytes is too large`, {
    where: `the limit is ${FRAME_PAYLOAD} bytes`,
    fix: 'Send it in parts, or its place instead.',
  });
}

/** Reads frames from chunks of bytes, which may be reused afterwards. Once it has thrown, it must not be used any more. */
export class FrameReader {
  readonly #onFrame: (frame: Frame) => void;
  /** An unauthenticated peer may send small frames of JSON only. */
  #authenticated: boolean;
  /** Less than a header. */
  #rest: Buffer | undefined;
  /** A frame of which the first `#received` bytes have come. */
  #incomplete: Buffer | undefined;
  #received = 0;

  constructor(onFrame: (frame: Frame) => void, { authenticated }: { authenticated: boolean }) {
    this.#onFrame = onFrame;
    this.#authenticated = authenticated;
  }

  /** The peer has shown the token of this cluster. */
  authenticate(): void {
    this.#authenticated = true;
  }

  /** @throws when the bytes are no frames */
  read(chunk: Buffer): void {
    let at = 0;
    if (this.#incomplete) {
      const frame = this.#incomplete;
      at = chunk.copy(frame, this.#received);
      this.#received += at;
      if (this.#received < frame.length) return;
      this.#incomplete = undefined;
      this.#frame(frame, 0, frame.length);
    } else if (this.#rest) {
      chunk = Buffer.concat([this.#rest, chunk]);
      this.#rest = undefined;
    }
    while (chunk.length - at >= HEADER) {
      const length = chunk.readUInt32BE(at);
      const limit = this.#authenticated ? FRAME_PAYLOAD : UNAUTHENTICATED_FRAME_PAYLOAD;
      if (length > limit) throw new Error(`a frame of ${length} bytes is over the limit of ${limit}`);
      const end = at + HEADER + length;
      if (end > chunk.length) {
        this.#incomplete = Buffer.allocUnsafeSlow(HEADER + length);
        this.#received = chunk.copy(this.#incomplete, 0, at);
        return;
      }
      this.#frame(chunk, at, end);
      at = end;
    }
    if (at < chunk.length) this.#rest = Buffer.from(chunk.subarray(at));
  }

  #frame(chunk: Buffer, at: number, end: number): void {
    const kind = chunk[at + 4] as number;
    const id = chunk.readUInt32BE(at + 5);
    const begin = at + HEADER;
    const encoding = (kind & 1) as Encoding;
    if (encoding === V8_FORMAT && !this.#authenticated) throw new Error('an unauthenticated peer may send JSON only');
    const payload = begin === end ? undefined : decode(chunk, begin, end, encoding);
    this.#onFrame({ type: kind >> 1, id, payload });
  }
}

/** V8's format has this byte before each Buffer and typed array that Node has written, and may have it elsewhere. */
const HOST_OBJECT = 0x5c;

function decode(chunk: Buffer, begin: number, end: number, encoding: Encoding): unknown {
  if (encoding === JSON_TEXT) return JSON.parse(chunk.toString('utf8', begin, end));
  const bytes = chunk.subarray(begin, end);
  // Node gives a Buffer or typed array back as a view of what it has read, and the chunk belongs to the socket.
  return decodeValue(bytes.includes(HOST_OBJECT) ? Buffer.from(bytes) : bytes, encoding);
}
