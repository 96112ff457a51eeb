import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Route, RouteHistograms } from '../measure/route_histograms.js';
import type { RequestCounters } from '../protocol/protocol.js';
import type { RouteReport } from '../protocol/route_report.js';
import type { Connections } from './connections.js';

// A global is looked up each time it is named.
const { performance } = globalThis;

const STARTED = Symbol('started');
interface Timed extends ServerResponse {
  [STARTED]?: number | undefined;
}

/** Counts the requests of a worker and knows those that are in flight. */
export class RequestMeter implements RequestCounters {
  /** Requests whose response has ended. */
  requests = 0;
  /** Those of them with status 5xx. */
  errors = 0;
  inFlight = 0;
  /** Connections that stay open after their request: web sockets, streams of events. */
  live = 0;
  /** Counts by route; there once the app is. */
  routes: RouteHistograms | undefined;
  routeOf: (res: ServerResponse) => Route | undefined = () => undefined;
  /** Milliseconds from which on a request is slow. */
  slowerThan = Number.POSITIVE_INFINITY;
  onSlow: (res: ServerResponse, took: number) => void = () => undefined;
  /** Called when `inFlight` changes. */
  onChange: (() => void) | undefined;
  readonly #connections: Connections;
  readonly #onClose: (this: ServerResponse) => void;

  constructor(connections: Connections) {
    this.#connections = connections;
    const meter = this;
    // One listener for all responses: a closure per request would be garbage per request.
    this.#onClose = function (this: ServerResponse) {
      meter.#count(this);
      connections.end(this);
    };
  }

  begin(res: Timed): void {
    this.inFlight += 1;
    res[STARTED] = performance.now();
    this.#connections.begin(res);
    res.on('close', this.#onClose);
    this.onChange?.();
  }

  /** Open ones. */
  get connections(): number {
    return this.#connections.count;
  }

  /** @returns the responses that the app has not begun for longer than `limit` milliseconds */
  *pending(limit: number): Generator<{ res: ServerResponse; age: number }> {
    const now = performance.now();
    for (const res of this.#connections.responses()) {
      const started = (res as Timed)[STARTED];
      if (started === undefined || res.headersSent) continue;
      if (now - started > limit) yield { res, age: now - started };
    }
  }

  /** A request has become a connection that stays open: it is counted apart from those in flight. */
  beginLive(carrier: Timed | Duplex): void {
    this.live += 1;
    carrier.once('close', () => {
      this.live -= 1;
    });
    const res = 'req' in carrier ? carrier : this.#connections.responseOf(carrier);
    if (res?.listeners('close').includes(this.#onClose)) {
      res.off('close', this.#onClose);
      this.#count(res);
      (res as Timed)[STARTED] = undefined;
    }
  }

  takeRoutes(): RouteReport | undefined {
    return this.routes?.take();
  }

  #count(res: Timed): void {
    const took = performance.now() - (res[STARTED] as number);
    this.routes?.count(this.routeOf(res), res.req.method as string, res.headersSent ? res.statusCode : 0, took);
    if (took > this.slowerThan) this.onSlow(res, took);
    this.requests += 1;
    if (res.statusCode >= 500) this.errors += 1;
    this.inFlight -= 1;
    this.onChange?.();
  }
}
