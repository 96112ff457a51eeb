import type { ServerResponse } from 'node:http';
import { LATENCY_BOUNDS, type LatencyHistogram } from './protocol.js';

/** Counts the requests of a worker and knows those that are in flight. */
export class RequestMeter {
  /** Answered requests. */
  requests = 0;
  readonly latency: LatencyHistogram = { counts: new Array<number>(LATENCY_BOUNDS.length + 1).fill(0), sum: 0 };
  readonly #started = new Map<ServerResponse, number>();
  readonly #onClose: (this: ServerResponse) => void;

  constructor() {
    const meter = this;
    // One listener for all responses: a closure per request would be garbage per request.
    this.#onClose = function (this: ServerResponse) {
      meter.#end(this);
    };
  }

  get inFlight(): number {
    return this.#started.size;
  }

  begin(res: ServerResponse): void {
    this.#started.set(res, performance.now());
    res.on('close', this.#onClose);
  }

  #end(res: ServerResponse): void {
    const started = this.#started.get(res);
    if (started === undefined) return;
    this.#started.delete(res);
    const seconds = (performance.now() - started) / 1000;
    let index = 0;
    while (index < LATENCY_BOUNDS.length && seconds > (LATENCY_BOUNDS[index] as number)) index += 1;
    this.latency.counts[index] = (this.latency.counts[index] as number) + 1;
    this.latency.sum += seconds;
    this.requests += 1;
  }

  /** Marks each answer that has not begun as the last one of its connection. */
  closeConnections(): void {
    for (const res of this.#started.keys()) if (!res.headersSent) res.shouldKeepAlive = false;
  }
}
