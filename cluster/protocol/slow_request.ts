/** A request that took long, as its worker has recorded it. */
export interface SlowRequest {
  /** Milliseconds since the epoch: when it began. */
  at: number;
  pid: number;
  method: string;
  /** Secrets are masked. */
  url: string;
  route?: string;
  /** 0 if there was no response. */
  status: number;
  /** Milliseconds. */
  took: number;
  traceId?: string;
  /** Where the time went, in the order of their beginnings. */
  spans: RequestSpan[];
}

export interface RequestSpan {
  /** As the channels name it: `middleware`, `controller`, `service`, `view`, `httpclient`, `message`. */
  kind: string;
  name: string;
  /** Milliseconds after the request began. */
  start: number;
  /** Milliseconds; absent when it had not ended with the request. */
  took?: number;
  /** Index of the span around it. */
  parent?: number;
  error?: string;
}

/** How many are kept, by each worker and by the Master, and for how many milliseconds. */
export const MOST_SLOW = 50;
export const SLOW_AGE = 5 * 60_000;
