import { AsyncLocalStorage } from 'node:async_hooks';
import type { ServerResponse } from 'node:http';
import path from 'node:path';
import type { EventLoopUtilization } from 'node:perf_hooks';
import { toError } from '../../errors.js';
import type { Masker } from '../../output/secrets.js';
import { channels, observe } from '../../tracing/channels.js';
import type { Outcome, TracePayloads } from '../../tracing/payloads.js';
import { MOST_SLOW, type RequestSpan, SLOW_AGE, type SlowRequest } from '../protocol/slow_request.js';
import { RationedWork, type Work } from './rationed_work.js';

const KINDS = ['middleware', 'controller', 'service', 'view', 'httpclient', 'message'] as const;
type Kind = (typeof KINDS)[number];

/** Of one request, and characters of a name. */
const MOST_SPANS = 200;
const LONGEST_NAME = 200;
/** Requests a second that are recorded in any case. */
const FEW_REQUESTS = 250;
/** Milliseconds of the event loop: a process that needs less for a request would notice that it is recorded. */
const SHORT_REQUEST = 0.2;
/** Milliseconds between two reports. */
const REPORT_INTERVAL = 1000;

interface Recording {
  /** `performance.now()` at the beginning of the request. */
  readonly start: number;
  readonly spans: { kind: Kind; payload: TracePayloads[Kind]; start: number; took?: number; parent?: number }[];
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
  /** That have ended. */
  readonly requests: number;
  /** Milliseconds. */
  slowerThan: number;
  onSlow: (res: ServerResponse, took: number) => void;
}

interface RecorderParts {
  meter: Meter;
  baseDir: string;
  masker: Masker;
  routeOf(res: ServerResponse): { path: string } | undefined;
  report(requests: SlowRequest[]): void;
}

/**
 * Finds the slowest requests of a worker and records where their time goes, while somebody looks.
 *
 * Each request is measured, but a timeline is recorded of those only that begin while the tracing channels have subscribers:
 * all
 * the time in a process with few requests, now and then in one with many, never where requests are so short that the recording would be felt.
 */
export class RequestRecorder {
  readonly #parts: RecorderParts;
  readonly #place = new AsyncLocalStorage<Place | undefined>();
  readonly #recordings = new WeakMap<object, Recording>();
  /** The slowest of the last minutes, the slowest first. */
  #slowest: Slow[] = [];
  /** Those of them that are not reported yet. */
  readonly #fresh = new Map<Slow, Details>();
  #recording: RationedWork | undefined;
  #timer: NodeJS.Timeout | undefined;

  #measured: { requests: number; loop: EventLoopUtilization };

  constructor(parts: RecorderParts) {
    this.#parts = parts;
    this.#measured = this.#measure();
  }

  watch(isWatched: boolean): void {
    if (isWatched === (this.#timer !== undefined)) return;
    const { meter } = this.#parts;
    if (isWatched) {
      meter.onSlow = (res, took) => this.#keep(res, took);
      meter.slowerThan = 0;
      this.#measured = this.#measure();
      this.#recording = new RationedWork(
        () => this.#subscribe(),
        () => this.#isCheap(),
      );
      this.#timer = setInterval(() => this.#report(), REPORT_INTERVAL).unref();
      return;
    }
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#recording?.stop();
    meter.slowerThan = Number.POSITIVE_INFINITY;
    this.#slowest = [];
    this.#fresh.clear();
  }

  /** Whether requests come that are few or take long, since the last call. */
  #isCheap(): boolean {
    const before = this.#measured;
    this.#measured = this.#measure();
    const requests = this.#measured.requests - before.requests;
    const { active, idle } = performance.eventLoopUtilization(this.#measured.loop, before.loop);
    return requests <= (FEW_REQUESTS * (active + idle)) / 1000 || active / requests > SHORT_REQUEST;
  }

  #measure(): { requests: number; loop: EventLoopUtilization } {
    return { requests: this.#parts.meter.requests, loop: performance.eventLoopUtilization() };
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

  /** Records the requests that begin from now on; each request that is traced is a unit of the work. */
  #subscribe(): Work {
    let isRecording = true;
    let open = 0;
    let units = 0;
    const spans = new WeakMap<object, { recording: Recording; index: number }>();
    const beginRequest = (payload: TracePayloads['request']): Place | undefined => {
      units += 1;
      if (!isRecording) return undefined;
      const recording: Recording = { start: payload.start, spans: [] };
      this.#recordings.set((payload.ctx as { res: object }).res, recording);
      open += 1;
      return { recording };
    };
    const beginSpan = (kind: Kind, payload: TracePayloads[Kind]): Place | undefined => {
      const place = this.#place.getStore();
      if (!place || place.recording.spans.length >= MOST_SPANS) return place;
      const { recording, span: parent } = place;
      const index = recording.spans.length;
      const start = performance.now() - recording.start;
      recording.spans.push({ kind, payload, start, ...(parent === undefined ? {} : { parent }) });
      spans.set(payload, { recording, index });
      return { recording, span: index };
    };
    const endSpan = (payload: Outcome): void => {
      const { recording, index = -1 } = spans.get(payload) ?? {};
      const span = recording?.spans[index];
      if (recording && span) span.took = performance.now() - recording.start - span.start;
    };
    const endRequest = ({ ctx }: TracePayloads['request']): void => {
      if (this.#recordings.has((ctx as { res: object }).res)) open -= 1;
    };
    const place = this.#place;
    channels.request.start.bindStore(place, beginRequest as never);
    const ends = [observe('request', { end: endRequest })];
    for (const kind of KINDS) {
      const begin = (payload: TracePayloads[Kind]): Place | undefined => beginSpan(kind, payload);
      channels[kind].start.bindStore(place, begin as never);
      ends.push(observe(kind, { end: endSpan }));
    }
    return {
      get units() {
        return units;
      },
      isIdle: () => open <= 0,
      finish: () => {
        isRecording = false;
      },
      end: () => {
        for (const end of ends) end();
        for (const kind of [...KINDS, 'request'] as const) channels[kind].start.unbindStore(place);
        // Before Node 24 each promise costs more while one is enabled.
        place.disable();
      },
    };
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
