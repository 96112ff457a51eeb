import { noCounts } from '../protocol/latency.js';
import { OTHER_ROUTES, ROUTE_LIMIT, type RouteReport, type RouteSeries } from '../protocol/route_report.js';

/** Requests of one route, method and class of status since the cluster started, in all workers. */
export interface RouteTotal extends RouteSeries {
  /** By bucket, as in cluster/protocol/latency.ts. */
  counts: number[];
  count: number;
  /** Milliseconds. */
  sum: number;
}

/** A reload may replace all routes of the workers before. */
const LIMIT = 2 * ROUTE_LIMIT;

/** Sums what the workers report of their routes. Workers that have ended stay in the sums, so that these never fall. */
export class RouteTotals {
  readonly #totals = new Map<string, RouteTotal>();
  /** By worker: the totals that its series belong to, by their indexes. */
  readonly #bySource = new WeakMap<object, RouteTotal[]>();
  readonly #routes = new Set<string>();

  get all(): Iterable<RouteTotal> {
    return this.#totals.values();
  }

  get served(): { requests: number; errors: number } {
    const served = { requests: 0, errors: 0 };
    for (const { count, status } of this.#totals.values()) {
      served.requests += count;
      if (status === '5xx') served.errors += count;
    }
    return served;
  }

  /**
   * @param source the worker that reports
   * @returns how many requests took how long, by bucket
   */
  add(source: object, { added = [], changes }: RouteReport = { changes: [] }): number[] {
    const series = this.#bySource.get(source) ?? [];
    if (added.length > 0) this.#bySource.set(source, series);
    for (const each of added) series.push(this.#find(each));
    const latency = noCounts();
    for (const [index = -1, sum = 0, ...pairs] of changes) {
      const total = series[index];
      if (total) addTo(total, sum, pairs, latency);
    }
    return latency;
  }

  #find(series: RouteSeries): RouteTotal {
    const { method, route, status } = series;
    const name = `${method} ${route}`;
    if (!this.#routes.has(name)) {
      if (this.#routes.size >= LIMIT && route !== OTHER_ROUTES)
        return this.#find({ method, route: OTHER_ROUTES, status });
      this.#routes.add(name);
    }
    const key = `${status} ${name}`;
    let total = this.#totals.get(key);
    if (!total) {
      total = { ...series, counts: noCounts(), count: 0, sum: 0 };
      this.#totals.set(key, total);
    }
    return total;
  }
}

/** @param pairs of a bucket's index and how many requests it has got */
function addTo(total: RouteTotal, sum: number, pairs: readonly number[], latency: number[]): void {
  total.sum += sum;
  for (let index = 0; index < pairs.length; index += 2) {
    const bucket = pairs[index] as number;
    const count = pairs[index + 1] ?? 0;
    if (bucket >= latency.length) continue;
    total.counts[bucket] = (total.counts[bucket] as number) + count;
    latency[bucket] = (latency[bucket] as number) + count;
    total.count += count;
  }
}
