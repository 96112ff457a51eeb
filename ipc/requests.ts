import { ClutchError, toError } from '../errors.js';
import type { Carrier } from '../tracing/payloads.js';
import { describeError, type ErrorData, reviveError } from './error_data.js';
import { CONTROL, type Control, type ControlMessage } from './message.js';
import { type RequestContext, RunningRequest } from './running_request.js';
import { type ChunkData, IncomingStream, type StreamHandler, sendStream } from './streams.js';

const { randomBytes } = process.getBuiltinModule('node:crypto');

/** Where a request goes: the Agent, one of the app workers, or the process with this pid. */
export type RequestTarget = 'agent' | 'app' | number;

export type RequestHandler = (data: unknown, context: RequestContext) => unknown;

export interface RequestOptions {
  /** Milliseconds to wait for the reply; default 5000. */
  timeout?: number;
  /** Gives up when it aborts: the call rejects with its reason, and the handler's signal aborts. */
  signal?: AbortSignal | undefined;
}

interface RequestData {
  id: string;
  action: string;
  data: unknown;
  /** Of a stream: how many values may be on their way. */
  window?: number;
}

interface ReplyData {
  id: string;
  value?: unknown;
  error?: ErrorData;
}

interface StreamParts {
  window: number;
  signal: AbortSignal | undefined;
  announce(open: (carrier?: Carrier) => void): void;
}

/** What the Master says of a message that reached nobody. */
export interface UndeliveredReport {
  action: string;
  reason: string;
  /** Of a request. */
  id?: unknown;
  /** The receiver had it: only the reply cannot come any more. */
  arrived?: boolean;
}

/** What waits for a reply: a request, or a stream. */
interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
  chunk?(data: ChunkData): void;
}

/** Messages that are replied to. */
export class Requests {
  readonly #send: (message: ControlMessage) => void;
  readonly #handlers = new Map<string, RequestHandler>();
  readonly #streamHandlers = new Map<string, StreamHandler>();
  readonly #pending = new Map<string, Pending>();
  /** What handlers work on. */
  readonly #running = new Map<string, RunningRequest>();
  /** In one process both sides get all replies: the prefix tells whose they are. */
  readonly #prefix = randomBytes(4).toString('hex');
  #last = 0;

  constructor(send: (message: ControlMessage) => void) {
    this.#send = send;
  }

  /** @throws {ClutchError} ERR_CLUTCH_DUPLICATE when the action has a handler already */
  handle(action: string, handler: RequestHandler): void {
    this.#register(this.#handlers, action, handler);
  }

  /** @throws {ClutchError} ERR_CLUTCH_DUPLICATE when the action has a handler already */
  handleStream(action: string, handler: StreamHandler): void {
    this.#register(this.#streamHandlers, action, handler);
  }

  #register<H>(handlers: Map<string, H>, action: string, handler: H): void {
    if (handlers.has(action)) {
      const what = handlers === (this.#handlers as unknown) ? 'requests' : 'streams';
      throw new ClutchError('ERR_CLUTCH_DUPLICATE', `${what} "${action}" have a handler already`, {
        fix: 'A request gets one reply: register one handler.',
      });
    }
    handlers.set(action, handler);
  }

  hasHandler({ data }: ControlMessage): boolean {
    const { action, window } = data as RequestData;
    return window === undefined ? this.#handlers.has(action) : this.#streamHandlers.has(action);
  }

  /** @param carrier what a tracer sends along */
  ask(
    target: RequestTarget,
    action: string,
    data: unknown,
    { timeout = 5000, signal, carrier }: RequestOptions & { carrier?: Carrier | undefined } = {},
  ): Promise<unknown> {
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    return new Promise((resolve, reject) => {
      const id = this.#nextId();
      const giveUp = (reason: Error): void => {
        if (!this.#take(id)) return;
        end();
        this.#cancel(id);
        reject(reason);
      };
      const onAbort = (): void => giveUp(signal?.reason as Error);
      const timer = setTimeout(() => giveUp(tooLate(target, action, timeout)), timeout);
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      signal?.addEventListener('abort', onAbort);
      this.#pending.set(id, {
        resolve: (value) => {
          end();
          resolve(value);
        },
        reject: (error) => {
          end();
          reject(error);
        },
      });
      this.#open(target, { id, action, data }, carrier);
    });
  }

  /**
   * @param announce sends what opens the stream; a tracer has something to send along
   * @returns values that a process sends as they are asked for; nothing happens before the first is
   */
  stream(
    target: RequestTarget,
    action: string,
    data: unknown,
    { window, signal, announce }: StreamParts,
  ): IncomingStream<unknown> {
    const id = this.#nextId();
    return new IncomingStream<unknown>(window, signal, {
      open: (stream) => {
        this.#pending.set(id, stream);
        announce((carrier) => this.#open(target, { id, action, data, window }, carrier));
      },
      credit: (count) => this.#trySend({ clutch: CONTROL.credit, data: { id, count } }),
      close: () => {
        if (this.#take(id)) this.#cancel(id);
      },
    });
  }

  #nextId(): string {
    this.#last += 1;
    return `${this.#prefix}:${this.#last}`;
  }

  #open(target: RequestTarget, data: RequestData, carrier?: Carrier): void {
    const message: ControlMessage = { clutch: CONTROL.request, data, ...(carrier && { carrier }) };
    try {
      if (typeof target === 'number') this.#send({ ...message, receiverPid: String(target) });
      else this.#send({ ...message, to: target, one: true });
    } catch (error) {
      this.#take(data.id)?.reject(toError(error));
    }
  }

  #cancel(id: string): void {
    this.#trySend({ clutch: CONTROL.cancel, data: { id } });
  }

  /** Where the other side has gone, there is nothing to say any more. */
  #trySend(message: ControlMessage): void {
    try {
      this.#send(message);
    } catch {
      // The Master is gone, and with it whoever would get this.
    }
  }

  #take(id: string): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  /**
   * Runs the handler of a request, or of a stream, and sends what it gives.
   *
   * @param run runs the handler; by default as it is
   */
  async reply(
    { data: request, senderPid }: ControlMessage,
    run: (handle: () => unknown) => unknown = (handle) => handle(),
  ): Promise<void> {
    const { id, action, data, window } = request as RequestData;
    if (this.#running.has(id)) return;
    const running = new RunningRequest(senderPid);
    this.#running.set(id, running);
    const send = (clutch: Control, content: object): void =>
      this.#send({ clutch, data: { id, ...content }, receiverPid: String(senderPid) });
    let result: Partial<ReplyData>;
    try {
      if (window === undefined) {
        result = { value: await run(() => handlerOf(this.#handlers, action, 'request')(data, running)) };
      } else {
        // Values are made while they are sent.
        await run(async () => {
          const source = await handlerOf(this.#streamHandlers, action, 'stream')(data, running);
          await sendStream(source, running, window, (chunk) => send(CONTROL.chunk, chunk));
        });
        result = {};
      }
    } catch (error) {
      result = { error: describeError(error) };
    }
    // Nobody waits any more, or it was replied to by `close`.
    if (!this.#running.delete(id) || running.isCancelled) return;
    try {
      send(CONTROL.reply, result);
    } catch (error) {
      // The value cannot be sent; the reason can.
      send(CONTROL.reply, { error: describeError(error) });
    }
  }

  settle({ id, value, error }: ReplyData): void {
    const pending = this.#take(id);
    if (!pending) return;
    if (!error) pending.resolve(value);
    else pending.reject(reviveError(error));
  }

  chunk(data: ChunkData & { id: string }): void {
    const pending = this.#pending.get(data.id);
    pending?.chunk?.(data);
  }

  /** The sender of a stream may send more values. */
  credit({ id, count }: { id: string; count: number }): void {
    this.#running.get(id)?.onCredit?.(count);
  }

  /** Nobody waits for a reply any more. */
  cancelled({ id }: { id: string }): void {
    const running = this.#running.get(id);
    this.#running.delete(id);
    running?.cancel(new ClutchError('ERR_CLUTCH_CANCELLED', 'nobody waits for the reply any more'));
  }

  /** @returns whether the message that reached nobody was a request of ours */
  undelivered({ id, action, reason, arrived }: UndeliveredReport): boolean {
    const pending = this.#take(String(id));
    pending?.reject(
      arrived
        ? new ClutchError('ERR_CLUTCH_NO_REPLY', `request "${action}" may have been handled: ${reason}`)
        : new ClutchError('ERR_CLUTCH_MESSAGE', `request "${action}" is not delivered: ${reason}`),
    );
    return pending !== undefined;
  }

  close(): void {
    for (const id of [...this.#pending.keys()]) {
      this.#take(id)?.reject(new ClutchError('ERR_CLUTCH_NO_REPLY', 'the messenger was closed before the reply came'));
    }
    const error = new ClutchError('ERR_CLUTCH_NO_REPLY', 'the messenger of the receiver was closed before it replied');
    for (const [id, running] of [...this.#running]) {
      this.#running.delete(id);
      running.cancel(error);
      const data = { id, error: describeError(error) };
      this.#trySend({ clutch: CONTROL.reply, data, receiverPid: String(running.senderPid) });
    }
  }
}

function handlerOf<H>(handlers: Map<string, H>, action: string, kind: 'request' | 'stream'): H {
  const handler = handlers.get(action);
  if (handler) return handler;
  throw new ClutchError('ERR_CLUTCH_MESSAGE', `${kind}s "${action}" have no handler here`, {
    fix: `Register a handler with messenger.${kind === 'request' ? 'onRequest' : 'onStream'}().`,
  });
}

function tooLate(target: RequestTarget, action: string, timeout: number): ClutchError {
  return new ClutchError('ERR_CLUTCH_TIMEOUT', `request "${action}" got no reply within ${timeout} ms`, {
    where: `sent to ${typeof target === 'number' ? `pid ${target}` : target}`,
    fix: 'Give a longer timeout, or find out what its handler waits for.',
  });
}
