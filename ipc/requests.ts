import { ClutchError, toError } from '../errors.js';
import type { Carrier } from '../tracing/payloads.js';
import { describeError, type ErrorData, reviveError } from './error_data.js';
import { CONTROL, type ControlMessage } from './message.js';

const { randomBytes } = process.getBuiltinModule('node:crypto');

/** Where a request goes: the Agent, one of the app workers, or the process with this pid. */
export type RequestTarget = 'agent' | 'app' | number;

export type RequestHandler = (data: unknown) => unknown;

interface RequestData {
  id: string;
  action: string;
  data: unknown;
}

interface ReplyData {
  id: string;
  value?: unknown;
  error?: ErrorData;
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

/** Messages that are replied to. */
export class Requests {
  readonly #send: (message: ControlMessage) => void;
  readonly #handlers = new Map<string, RequestHandler>();
  readonly #pending = new Map<string, Pending>();
  /** In one process both sides get all replies: the prefix tells whose they are. */
  readonly #prefix = randomBytes(4).toString('hex');
  #last = 0;

  constructor(send: (message: ControlMessage) => void) {
    this.#send = send;
  }

  /** @throws {ClutchError} ERR_CLUTCH_DUPLICATE when the action has a handler already */
  handle(action: string, handler: RequestHandler): void {
    if (this.#handlers.has(action)) {
      throw new ClutchError('ERR_CLUTCH_DUPLICATE', `requests "${action}" have a handler already`, {
        fix: 'A request gets one reply: register one handler.',
      });
    }
    this.#handlers.set(action, handler);
  }

  hasHandler(message: ControlMessage): boolean {
    return this.#handlers.has((message.data as RequestData).action);
  }

  /** @param carrier what a tracer sends along */
  ask(
    target: RequestTarget,
    action: string,
    data: unknown,
    { timeout, carrier }: { timeout: number; carrier?: Carrier | undefined },
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = `${this.#prefix}:${++this.#last}`;
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(
          new ClutchError('ERR_CLUTCH_TIMEOUT', `request "${action}" got no reply within ${timeout} ms`, {
            where: `sent to ${typeof target === 'number' ? `pid ${target}` : target}`,
            fix: 'Give a longer timeout, or find out what its handler waits for.',
          }),
        );
      }, timeout);
      this.#pending.set(id, { resolve, reject, timer });
      const message: ControlMessage = { clutch: CONTROL.request, data: { id, action, data } satisfies RequestData };
      if (carrier) message.carrier = carrier;
      try {
        if (typeof target === 'number') this.#send({ ...message, receiverPid: String(target) });
        else this.#send({ ...message, to: target, one: true });
      } catch (error) {
        this.#take(id)?.reject(toError(error));
      }
    });
  }

  #take(id: string): Pending | undefined {
    const pending = this.#pending.get(id);
    if (!pending) return undefined;
    this.#pending.delete(id);
    clearTimeout(pending.timer);
    return pending;
  }

  /** @param run runs the handler; by default as it is */
  async reply(
    { data: request, senderPid }: ControlMessage,
    run: (handle: () => unknown) => unknown = (handle) => handle(),
  ): Promise<void> {
    const { id, action, data } = request as RequestData;
    const handler = this.#handlers.get(action);
    let result: ReplyData;
    try {
      if (!handler) {
        throw new ClutchError('ERR_CLUTCH_MESSAGE', `requests "${action}" have no handler here`, {
          fix: 'Register a handler with messenger.onRequest().',
        });
      }
      result = { id, value: await run(() => handler(data)) };
    } catch (error) {
      result = { id, error: describeError(error) };
    }
    const respond = (content: ReplyData): void =>
      this.#send({ clutch: CONTROL.reply, data: content, receiverPid: String(senderPid) });
    try {
      respond(result);
    } catch (error) {
      // The value cannot be sent; the reason can.
      respond({ id, error: describeError(error) });
    }
  }

  settle({ id, value, error }: ReplyData): void {
    const pending = this.#take(id);
    if (!pending) return;
    if (!error) pending.resolve(value);
    else pending.reject(reviveError(error));
  }

  /** @returns whether the message that reached nobody was a request of ours */
  undelivered({ id, action, reason }: { id?: unknown; action: string; reason: string }): boolean {
    const pending = this.#take(String(id));
    pending?.reject(new ClutchError('ERR_CLUTCH_MESSAGE', `request "${action}" is not delivered: ${reason}`));
    return pending !== undefined;
  }

  close(): void {
    for (const id of [...this.#pending.keys()]) {
      this.#take(id)?.reject(new ClutchError('ERR_CLUTCH_MESSAGE', 'the messenger was closed before the reply came'));
    }
  }
}
