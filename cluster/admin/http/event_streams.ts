import type { ServerResponse } from 'node:http';
import { toError } from '../../../errors.js';
import type { ViewName } from '../page_data.js';
import type { SharedViewData, ViewData } from '../view_data.js';
import { HttpError } from './respond.js';

/** Streams at the same time; a browser opens one for each tab. */
const MOST_STREAMS = 50;
/** Milliseconds. */
const TICK = 1000;
const HEARTBEAT = 15_000;
/** Views that ask the Agent, which may ask a server: read in every second tick. */
const SLOW_VIEWS: readonly ViewName[] = ['schedule', 'fleet'];
/** Milliseconds after which a browser opens a stream again that has been cut. */
const RETRY = 1000;

/** Server-sent events: each view that somebody looks at is read once for all streams, and sent when it has changed. */
export class EventStreams {
  readonly #views: SharedViewData;
  readonly #streams = new Set<EventStream>();
  /** What was read last. */
  readonly #last = new Map<ViewName, { value: unknown; text: string }>();
  readonly #reading = new Set<ViewName>();
  readonly #onError: (message: string) => void;
  #ticks = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopWatching: (() => void) | undefined;

  /** @param onError called with each error of a view, once until it is another */
  constructor(views: SharedViewData, onError: (message: string) => void) {
    this.#views = views;
    let last = '';
    this.#onError = (message) => {
      if (message !== last) onError(message);
      last = message;
    };
  }

  /**
   * @param data stays in use until the last stream has been closed
   * @throws {HttpError} 503 when there are too many
   */
  open(views: ViewName[], data: ViewData, res: ServerResponse): void {
    if (this.#streams.size >= MOST_STREAMS) throw new HttpError(503, `there are ${MOST_STREAMS} streams already`);
    const stream = new EventStream(views, res);
    this.#streams.add(stream);
    res.on('close', () => {
      this.#streams.delete(stream);
      if (this.#streams.size === 0) this.#stop();
    });
    this.#timer ??= setInterval(() => this.#update(data), TICK).unref();
    // A process that ends or becomes ready is seen at once.
    this.#stopWatching ??= data.onChange(() => this.#update(data));
    for (const view of new Set(views)) {
      const last = this.#last.get(view);
      if (last) this.#send(stream, view, { data, text: last.text });
      void this.#read(view, data);
    }
  }

  #update(data: ViewData): void {
    void this.#views.use();
    this.#ticks += 1;
    const watched = new Set([...this.#streams].flatMap(({ views }) => views));
    for (const view of watched) if (this.#ticks % 2 === 0 || !SLOW_VIEWS.includes(view)) void this.#read(view, data);
    for (const stream of this.#streams) stream.beat();
  }

  async #read(view: ViewName, data: ViewData): Promise<void> {
    // One whose source is slow is not asked again meanwhile.
    if (this.#reading.has(view)) return;
    this.#reading.add(view);
    try {
      const value = await data.read(view);
      const last = this.#last.get(view);
      if (value === last?.value) return;
      // Of logs, each stream has a place of its own.
      const text = view === 'logs' ? '' : JSON.stringify(value);
      this.#last.set(view, { value, text });
      if (text !== '' && text === last?.text) return;
      for (const stream of this.#streams) if (stream.views.includes(view)) this.#send(stream, view, { data, text });
    } catch (error) {
      this.#onError(`the admin page has no data for its view ${view}: ${toError(error).message}`);
    } finally {
      this.#reading.delete(view);
    }
  }

  #send(stream: EventStream, view: ViewName, { data, text }: { data: ViewData; text: string }): void {
    if (view === 'logs') stream.sendLines(data.logs);
    else stream.send(view, () => text);
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#stopWatching?.();
    this.#stopWatching = undefined;
    this.#last.clear();
  }

  close(): void {
    for (const stream of this.#streams) stream.end();
    this.#stop();
  }
}

/** One visitor. Of one who reads slowly, only the newest data of each view waits. */
class EventStream {
  readonly views: readonly ViewName[];
  readonly #res: ServerResponse;
  readonly #waiting = new Map<ViewName, () => string>();
  /** How many lines of the logs it has got, or missed. */
  #lines = 0;
  #sentAt = Date.now();

  constructor(views: readonly ViewName[], res: ServerResponse) {
    this.views = views;
    this.#res = res;
    res.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    res.on('drain', () => this.#flush());
    res.write(`retry: ${RETRY}\n\n`);
  }

  /** @param json called when it can be sent */
  send(view: ViewName, json: () => string): void {
    this.#waiting.set(view, json);
    this.#flush();
  }

  /** The first event has all lines that are kept, each other one those that have come since. */
  sendLines(logs: ViewData['logs']): void {
    this.send('logs', () => {
      const lines = logs.since(this.#lines);
      this.#lines = logs.count;
      return JSON.stringify(lines);
    });
  }

  #flush(): void {
    for (const [view, json] of this.#waiting) {
      if (this.#res.writableNeedDrain) return;
      this.#waiting.delete(view);
      this.#sentAt = Date.now();
      this.#res.write(`event: ${view}\ndata: ${json()}\n\n`);
    }
  }

  /** A comment keeps proxies from cutting a stream on which nothing happens. */
  beat(): void {
    if (Date.now() - this.#sentAt < HEARTBEAT || this.#res.writableNeedDrain) return;
    this.#sentAt = Date.now();
    this.#res.write(': still there\n\n');
  }

  end(): void {
    this.#res.end();
  }
}
