import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { toError } from '../../errors.js';
import type { Masker } from '../../output/secrets.js';
import type { TracedContext, TracePayloads } from '../../tracing/payloads.js';
import { type RecordedName, type RecordedPayload, type Recorder, recording } from '../../tracing/recording.js';
import { MOST_SLOW, type RequestSpan, SLOW_AGE, type SlowRequest } from '../protocol/slow_request.js';

type Kind = Exclude<RecordedName, 'request'>;

/** Of one request, and characters of a name. */
const MOST_SPANS = 200;
const LONGEST_NAME = 200;
/** Requests that are recorded: in a second on average, at once after a pause, and at a time. */
const RATION = 2;
const BURST = 10;
const MOST_OPEN = 5;
/** Recordings whose routes are remembered: of each route that is slow some are recorded, however often the others are asked for. */
const REMEMBERED = 8;
/** Requests in a tick whose route is looked up: that takes about a microsecond. */
const LOOKS = 50;
/** Milliseconds. */
const TICK = 50;
/** Milliseconds after which a request makes room for another one. */
const LONGEST = 30_000;
/** Milliseconds between two reports. */
const REPORT_INTERVAL = 1000;

interface Span {
  kind: Kind;
  payload: TracePayloads[Kind];
  start: number;
  took?: number;
  parent?: number;
}

interface Exchange {
  req: IncomingMessage;
  res: ServerResponse;
}

interface Recording {
  /** `performance.now()` at the beginning of the request. */
  readonly start: number;
  readonly spans: Span[];
}

/** Where in a request the code is that runs. */
interface Place {
  recording: Recording;
  /** Index of the span around it. */
  span?: number;
}

/** A request that is among the slowest. */
interface Slow {
  at: number;
  took: number;
}

/** What is kept of it until it is reported. */
interface Details {
  res: ServerResponse;
  status: number;
  spans: Recording['spans'];
}

/** What is measured of all requests. */
interface Meter {
  /** Milliseconds. */
  slowerThan: number;
  onSlow: (res: ServerResponse, took: number) => void;
}

interface RecorderParts {
  meter: Meter;
  baseDir: string;
  masker: Masker;
  routeOf(res: ServerResponse): { path: string } | undefined;
  /** @returns the path of the route that a request will take */
  routeFor(method: string, path: string): string | undefined;
  /** Whether enough of its requests are known, and hardly one was slow. */
  isFast(method: string, route: string | undefined): boolean;
  report(requests: SlowRequest[]): void;
}

/**
 * Finds the slowest requests of a worker and records where their time goes, while somebody looks.
 *
 * The time of each request is compared with the slowest so far, but a timeline is recorded of some only, of routes that are not known to
 * be fast.
 */
export class RequestRecorder implements Recorder {
  readonly #parts: RecorderParts;
  readonly #place = new AsyncLocalStorage<Place | undefined>();
  readonly #recordings = new WeakMap<object, Recording>();
  /** The slowest of the last minutes, the slowest first. */
  #slowest: Slow[] = [];
  /** Those of them that are not reported yet. */
  readonly #fresh = new Map<Slow, Details>();
  readonly #open = new Set<TracedContext>();
  readonly #spans = new WeakMap<object, { recording: Recording; span: Span }>();
  /** Requests that may be recorded, and looked at until the next tick. */
  #rations = BURST;
  #looks = LOOKS;
  #lastRoutes: (string | undefined)[] = [];
  #timers: NodeJS.Timeout[] = [];

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  watch(isWatched: boolean): void {
    if (isWatched === this.#timers.length > 0) return;
    const { meter } = this.#parts;
    if (isWatched) {
      meter.onSlow = (res, took) => this.#keep(res, took);
      meter.slowerThan = 0;
      recording.recorder = this;
      this.#timers = [
        setInterval(() => this.#report(), REPORT_INTERVAL).unref(),
        setInterval(() => this.#tick(), TICK).unref(),
      ];
      return;
    }
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    recording.recorder = undefined;
    for (const ctx of this.#open) this.#close(ctx);
    meter.slowerThan = Number.POSITIVE_INFINITY;
    this.#slowest = [];
    this.#fresh.clear();
  }

  #tick(): void {
    this.#looks = LOOKS;
    this.#rations = Math.min(BURST, this.#rations + (RATION * TICK) / 1000);
  }

  #keep(res: ServerResponse, took: number): void {
    const slow: Slow = { at: Date.now() - took, took };
    const status = res.headersSent ? res.statusCode : 0;
    this.#fresh.set(slow, { res, status, spans: this.#recordings.get(res)?.spans ?? [] });
    this.#slowest.push(slow);
    this.#trim();
  }

  /** Requests that are no slower than the last one of those that are kept are not looked at any more. */
  #trim(): void {
    const oldest = Date.now() - SLOW_AGE;
    this.#slowest = this.#slowest.filter(({ at }) => at > oldest).sort((a, b) => b.took - a.took);
    this.#slowest.length = Math.min(this.#slowest.length, MOST_SLOW);
    this.#parts.meter.slowerThan = this.#slowest[MOST_SLOW - 1]?.took ?? 0;
  }

  #report(): void {
    const oldest = performance.now() - LONGEST;
    for (const ctx of this.#open) {
      if ((this.#recordings.get((ctx as unknown as Exchange).res)?.start ?? 0) < oldest) this.#close(ctx);
    }
    this.#trim();
    const fresh = [...this.#fresh].filter(([slow]) => this.#slowest.includes(slow));
    this.#fresh.clear();
    if (fresh.length > 0) this.#parts.report(fresh.map(([slow, details]) => this.#describe(slow, details)));
  }

  #describe({ at, took }: Slow, { res, status, spans }: Details): SlowRequest {
    const { routeOf, masker } = this.#parts;
    const { method = '', url = '' } = res.req;
    const route = routeOf(res)?.path;
    const traceId = traceIdOf(spans[0]?.payload);
    return {
      at: Math.round(at),
      pid: process.pid,
      method,
      url: masker.maskUrl(url),
      ...(route === undefined ? {} : { route }),
      status,
      took: round(took),
      ...(traceId === undefined ? {} : { traceId }),
      spans: spans.map((span) => this.#describeSpan(span)),
    };
  }

  #describeSpan({ kind, payload, start, took, parent }: Recording['spans'][number]): RequestSpan {
    const { error } = payload;
    return {
      kind,
      name: this.#nameOf(payload).slice(0, LONGEST_NAME),
      start: round(start),
      ...(took === undefined ? {} : { took: round(took) }),
      ...(parent === undefined ? {} : { parent }),
      ...(error === undefined
        ? {}
        : { error: this.#parts.masker.maskText(toError(error).message).slice(0, LONGEST_NAME) }),
    };
  }

  #nameOf(payload: TracePayloads[Kind]): string {
    if ('url' in payload) return `${payload.method} ${this.#parts.masker.maskUrl(payload.url)}`;
    if ('direction' in payload) return `${payload.name} ${payload.direction === 'out' ? 'to' : 'from'} ${payload.peer}`;
    if ('engine' in payload && path.isAbsolute(payload.name)) return path.relative(this.#parts.baseDir, payload.name);
    return payload.name;
  }

  /** Whether to record a request that begins: not many, and none of a route that is known to be fast. */
  choose(ctx: TracedContext): boolean {
    if (this.#looks === 0 || this.#rations < 1 || this.#open.size === MOST_OPEN) return false;
    this.#looks -= 1;
    const { req, res } = ctx as unknown as Exchange;
    const { method = '', url = '' } = req;
    const { routeFor, isFast } = this.#parts;
    const route = routeFor(method, url.split('?', 1)[0] as string);
    if (isFast(method, route)) return false;
    // The rest is left to other routes.
    if (this.#rations < 1 + this.#lastRoutes.filter((each) => each === route).length) return false;
    this.#lastRoutes = [route, ...this.#lastRoutes].slice(0, REMEMBERED);
    this.#rations -= 1;
    this.#recordings.set(res, { start: performance.now(), spans: [] });
    this.#open.add(ctx);
    recording.open = this.#open;
    res.once('close', () => this.#close(ctx));
    return true;
  }

  #close(ctx: TracedContext): void {
    if (!this.#open.delete(ctx) || this.#open.size > 0) return;
    recording.open = undefined;
    // Before Node 24 each promise costs more while one is enabled.
    this.#place.disable();
  }

  run<R>(name: RecordedName, payload: RecordedPayload, call: () => R): R {
    const place = name === 'request' ? this.#beginning(payload) : this.#beginSpan(name, payload);
    return place ? this.#place.run(place, call) : call();
  }

  #beginning({ ctx }: RecordedPayload): Place | undefined {
    const found = ctx && this.#recordings.get((ctx as unknown as Exchange).res);
    return found && { recording: found };
  }

  #beginSpan(kind: Kind, payload: RecordedPayload): Place | undefined {
    const place = this.#place.getStore();
    if (!place || place.recording.spans.length >= MOST_SPANS) return undefined;
    const { recording: found, span: parent } = place;
    const index = found.spans.length;
    const start = performance.now() - found.start;
    const span = { kind, payload: payload as TracePayloads[Kind], start, ...(parent === undefined ? {} : { parent }) };
    found.spans.push(span);
    this.#spans.set(payload, { recording: found, span });
    return { recording: found, span: index };
  }

  end(payload: RecordedPayload): void {
    const { recording: found, span } = this.#spans.get(payload) ?? {};
    if (found && span) span.took = performance.now() - found.start - span.start;
  }
}

/** As in the lines of the logs. */
function traceIdOf(payload: TracePayloads[Kind] | undefined): string | undefined {
  const { traceId, tracer } = (payload && 'ctx' in payload ? (payload.ctx ?? {}) : {}) as {
    traceId?: unknown;
    tracer?: { traceId?: unknown };
  };
  const id = traceId ?? tracer?.traceId;
  return typeof id === 'string' ? id.slice(0, LONGEST_NAME) : undefined;
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100;
}
