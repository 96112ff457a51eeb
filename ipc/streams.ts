import { ClutchError } from '../errors.js';
import type { RequestContext, RunningRequest } from './running_request.js';

/** Gives the values of a stream: a generator, a Node stream, a web stream, an array, or a promise of one of them. */
export type StreamHandler = (data: unknown, context: RequestContext) => unknown;

/** One value of a stream. */
export interface ChunkData {
  /** Counts the values of the stream: what does not read loses some. */
  seq: number;
  value?: unknown;
  /** In place of `value`: bytes, in base64. */
  bytes?: string;
}

/**
 * Sends the values of a source, no more than the receiver has asked for.
 *
 * @param window how many it has asked for at first
 * @throws what the source throws
 * @throws {ClutchError} ERR_CLUTCH_MESSAGE when it cannot be iterated
 */
export async function sendStream(
  source: unknown,
  running: RunningRequest,
  window: number,
  send: (chunk: ChunkData) => void,
): Promise<void> {
  const iterator = iteratorOf(source);
  let credit = window;
  let wake = (): void => undefined;
  running.onCredit = (count) => {
    credit = Math.min(window, credit + count);
    wake();
  };
  running.onCancel = () => {
    wake();
    // A generator ends at its next `yield`, a stream at once. Nobody waits for its errors any more.
    Promise.resolve(iterator.return?.()).catch(() => undefined);
  };
  let hasEnded = false;
  try {
    for (let seq = 0; !running.isCancelled; ) {
      if (credit === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      const { done, value } = await iterator.next();
      if (done) {
        hasEnded = true;
        return;
      }
      if (running.isCancelled) return;
      credit -= 1;
      send(value instanceof Uint8Array ? { seq, bytes: Buffer.from(value).toString('base64') } : { seq, value });
      seq += 1;
    }
  } finally {
    running.onCredit = undefined;
    running.onCancel = undefined;
    if (!hasEnded) await iterator.return?.();
  }
}

function iteratorOf(source: unknown): AsyncIterator<unknown> | Iterator<unknown> {
  const { [Symbol.asyncIterator]: later, [Symbol.iterator]: now } = Object(source) as Partial<
    AsyncIterable<unknown> & Iterable<unknown>
  >;
  if (typeof source !== 'string') {
    if (later) return later.call(source as AsyncIterable<unknown>);
    if (now) return now.call(source as Iterable<unknown>);
  }
  throw new ClutchError('ERR_CLUTCH_MESSAGE', `the handler of a stream has returned ${typeof source}`, {
    fix: 'Return something that can be iterated: an async generator, a stream, an array.',
  });
}

interface Link {
  /** Sends the request. */
  open(stream: IncomingStream<unknown>): void;
  /** Lets the sender send more values. */
  credit(count: number): void;
  /** Nobody reads any more. */
  close(): void;
}

interface Reader<T> {
  resolve(result: IteratorResult<T>): void;
  reject(error: Error): void;
}

type StreamState = 'new' | 'open' | 'ended';

/** The values that another process sends, in their order. It is asked for them when the first one is read. */
export class IncomingStream<T> implements AsyncIterableIterator<T> {
  readonly #window: number;
  readonly #signal: AbortSignal | undefined;
  readonly #link: Link;
  #state: StreamState = 'new';
  /** What has come and was not read. */
  #values: T[] = [];
  #readers: Reader<T>[] = [];
  /** For the reader after the last value. */
  #error: Error | undefined;
  #seq = 0;
  /** Values that were read since the sender was last told. */
  #read = 0;
  readonly #onAbort = (): void => {
    this.#values = [];
    this.#close(this.#signal?.reason as Error);
  };

  /** @param window how many values may be on their way and in the buffer */
  constructor(window: number, signal: AbortSignal | undefined, link: Link) {
    this.#window = window;
    this.#signal = signal;
    this.#link = link;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T>> {
    return new Promise((resolve, reject) => {
      this.#readers.push({ resolve, reject });
      if (this.#state === 'new') this.#open();
      this.#serve();
    });
  }

  /** Ends the stream: its sender stops. */
  async return(): Promise<IteratorResult<T>> {
    this.#values = [];
    this.#error = undefined;
    this.#close();
    return { done: true, value: undefined };
  }

  #open(): void {
    if (this.#signal?.aborted) {
      this.#onAbort();
      return;
    }
    this.#state = 'open';
    this.#signal?.addEventListener('abort', this.#onAbort);
    this.#link.open(this as IncomingStream<unknown>);
  }

  /** One more value has come. */
  chunk({ seq, value, bytes }: ChunkData): void {
    if (this.#state !== 'open') return;
    if (seq !== this.#seq || this.#values.length >= this.#window) {
      const what = seq === this.#seq ? 'has sent more values than it was asked for' : 'has lost values on their way';
      this.#close(new ClutchError('ERR_CLUTCH_MESSAGE', `a stream ${what}`));
      return;
    }
    this.#seq += 1;
    this.#values.push((bytes === undefined ? value : Buffer.from(bytes, 'base64')) as T);
    this.#serve();
  }

  /** The last value has come. */
  resolve(): void {
    this.#end();
  }

  reject(error: Error): void {
    this.#end(error);
  }

  #close(error?: Error): void {
    const wasOpen = this.#state === 'open';
    this.#end(error);
    if (wasOpen) this.#link.close();
  }

  #end(error?: Error): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#error = error;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#serve();
  }

  #serve(): void {
    while (this.#readers.length > 0 && (this.#values.length > 0 || this.#state === 'ended')) {
      const { resolve, reject } = this.#readers.shift() as Reader<T>;
      if (this.#values.length > 0) {
        resolve({ done: false, value: this.#values.shift() as T });
        this.#noteRead();
      } else if (this.#error) {
        reject(this.#error);
        // Afterwards it has ended, as a generator that has thrown.
        this.#error = undefined;
      } else {
        resolve({ done: true, value: undefined });
      }
    }
  }

  /** Half a window at a time, so that not every value causes a message. */
  #noteRead(): void {
    this.#read += 1;
    if (this.#state !== 'open' || this.#read * 2 < this.#window) return;
    this.#link.credit(this.#read);
    this.#read = 0;
  }
}
