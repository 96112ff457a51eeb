import { Readable } from 'node:stream';
import type { Context } from '../../../core/index.js';
import type { Application } from '../../../framework/index.js';
import { keepConnection, type LiveConnection } from './connections.js';

/** One event for the client; `data` that is no text is sent as JSON. */
export interface ServerEvent {
  data: unknown;
  /** Its name; `message` for a client when there is none. */
  event?: string;
  /** What the client sends as `Last-Event-ID` when it connects again. */
  id?: string;
}

export interface EventStreamOptions {
  /** Milliseconds between two comments on an idle stream; default `config.live.heartbeat`. */
  heartbeat?: number;
}

/**
 * Server-sent events: the body of one response, open until the client or `close()` ends it.
 *
 * When this process drains, the client is told when to connect again, and the stream ends.
 */
export class EventStream extends Readable implements LiveConnection {
  /** The id of the last event that the client has seen, when it connects again. */
  readonly lastEventId: string | undefined;
  readonly #retry: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(ctx: Context, { heartbeat }: EventStreamOptions = {}) {
    super();
    const app = ctx.app as unknown as Application;
    const settings = app.config['live'] as { heartbeat: number; sse: { retry: number } };
    this.#retry = settings.sse.retry;
    this.lastEventId = ctx.get('last-event-id') || undefined;
    ctx.set({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    ctx.body = this;
    const interval = heartbeat ?? settings.heartbeat;
    if (interval > 0) this.#timer = setInterval(() => this.push(': alive\n\n'), interval).unref();
    // Headers go out with the first byte: the client knows that it is connected.
    this.push(': connected\n\n');
    keepConnection(app, this, ctx.res);
  }

  /**
   * Sends one event; a text is the data of one without a name.
   *
   * @returns false when more waits than the client reads, or it has gone: send less
   * @throws {TypeError} when the name or id of the event holds a line break, or there is no data
   */
  send(given: ServerEvent | string): boolean {
    if (this.destroyed || this.readableEnded) return false;
    const { data, event, id } = typeof given === 'string' ? { data: given } : (given as ServerEvent);
    const text: string | undefined = typeof data === 'string' ? data : JSON.stringify(data);
    if (text === undefined) throw new TypeError('an event needs data: stream.send({ data: … })');
    const lines = text.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
    return this.push(`${field('event', event)}${field('id', id)}${lines.join('')}\n`);
  }

  /** Ends the stream. */
  close(): void {
    if (this.destroyed || this.readableEnded) return;
    clearInterval(this.#timer);
    this.push(null);
  }

  leave(): void {
    if (this.destroyed || this.readableEnded) return;
    // Clients that come back at the same moment would be a storm.
    this.push(`retry: ${Math.round(this.#retry * (0.5 + Math.random()))}\n\n`);
    this.close();
  }

  override _read(): void {
    // What is sent is pushed when it comes.
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearInterval(this.#timer);
    done(error);
  }
}

function field(name: string, value: string | undefined): string {
  if (value === undefined) return '';
  if (/[\r\n\0]/.test(value)) throw new TypeError(`the ${name} of an event is one line: ${JSON.stringify(value)}`);
  return `${name}: ${value}\n`;
}
