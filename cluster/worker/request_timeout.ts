import type { ServerResponse } from 'node:http';
import { maskText } from '../../output/secrets.js';
import type { OverdueRequests, PendingRequest } from '../protocol/protocol.js';
import type { RequestMeter } from './request_meter.js';

/** Requests that are named. */
const MOST_NAMED = 10;
/** Characters of a URL. */
const LONGEST_URL = 300;
/** Milliseconds between two reports: the worker stays if its replacement does not boot. */
const REPORT_PAUSE = 60_000;

interface RequestTimeoutOptions {
  meter: RequestMeter;
  /** Milliseconds. */
  timeout: number;
  routeOf: (res: object) => string | undefined;
  stackOf: (res: ServerResponse) => string | undefined;
  report: (overdue: OverdueRequests) => void;
}

/** Reports requests to which the app has not begun to respond in time. Those whose body is still coming are not among them. */
export function watchRequests({ meter, timeout, routeOf, stackOf, report }: RequestTimeoutOptions): void {
  let reportedAt = Number.NEGATIVE_INFINITY;
  let hasReportedStack = false;
  /** Bytes of bodies that still come, and when the last one of them came. */
  let received = new Map<object, { bytes: number; at: number }>();
  const check = (): void => {
    const before = received;
    received = new Map();
    const now = performance.now();
    const overdue: PendingRequest[] = [];
    let count = 0;
    for (const { res, age } of meter.pending(timeout)) {
      const { req } = res;
      // The socket of an HTTP/2 session, which may have ended, says nothing about one request.
      if (!req.complete && req.httpVersionMajor < 2) {
        const { bytesRead: bytes } = req.socket;
        const last = before.get(res);
        const at = last?.bytes === bytes ? last.at : now;
        received.set(res, { bytes, at });
        if (now - at <= timeout) continue;
      }
      count += 1;
      if (overdue.length >= MOST_NAMED) continue;
      const route = routeOf(res);
      const url = maskText(req.url ?? '').slice(0, LONGEST_URL);
      const stack = stackOf(res);
      overdue.push({
        method: req.method ?? '',
        url,
        age: Math.round(age),
        ...(route === undefined ? {} : { route }),
        ...(stack === undefined ? {} : { stack }),
      });
    }
    // The first report that says where a request waits need not wait itself.
    const isNews = !hasReportedStack && overdue.some(({ stack }) => stack !== undefined);
    if (count === 0 || (now - reportedAt < REPORT_PAUSE && !isNews)) return;
    reportedAt = now;
    hasReportedStack ||= isNews;
    report({ count, requests: overdue, resources: activeResources() });
  };
  setInterval(check, Math.min(1000, Math.max(20, timeout / 4))).unref();
}

/** @returns what keeps this process waiting, by Node's names, with their numbers */
function activeResources(): Record<string, number> {
  const counts: Record<string, number> = Object.create(null);
  for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
