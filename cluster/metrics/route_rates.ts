import { noCounts, quantile } from '../protocol/latency.js';
import type { RouteTotal } from './route_totals.js';

export interface RouteRow {
  /** `GET`, and so on; `(other)` if it is none of HTTP's. */
  method: string;
  /** As the route was declared, `(none)` for requests that no route took, `(other)` beyond the limit of routes. */
  route: string;
  /** Since the cluster started. */
  requests: number;
  /** Responses with status 5xx. */
  errors: number;
  /** In the last minute, requests a second. */
  rate: number;
  /** Milliseconds, over the last minute or, when there was no request, since the start. */
  p50: number;
  p95: number;
  p99: number;
  /** Where its controller is, if it is known: `app/controller/home.ts`. */
  file?: string;
}

/** Seconds between two snapshots, and how many make a minute. */
const SNAPSHOT_INTERVAL = 5;
const SNAPSHOTS = 12;

/** Requests of each route and method at a moment, by bucket. */
interface Snapshot {
  at: number;
  routes: Map<string, number[]>;
}

/** What the routes have done in the last minute, or since its construction. */
export class RouteRates {
  readonly #totals: () => Iterable<RouteTotal>;
  readonly #snapshots: Snapshot[];
  #seconds = 0;

  constructor(totals: () => Iterable<RouteTotal>) {
    this.#totals = totals;
    this.#snapshots = [this.#snapshot()];
  }

  /** To be called once a second. */
  tick(): void {
    this.#seconds += 1;
    if (this.#seconds % SNAPSHOT_INTERVAL !== 0) return;
    this.#snapshots.push(this.#snapshot());
    if (this.#snapshots.length > SNAPSHOTS) this.#snapshots.shift();
  }

  #snapshot(): Snapshot {
    const routes = new Map<string, number[]>();
    for (const { method, route, counts } of this.#totals()) {
      const key = `${method} ${route}`;
      const known = routes.get(key);
      if (known) addCounts(known, counts);
      else routes.set(key, [...counts]);
    }
    return { at: Date.now(), routes };
  }

  /** The most frequent of the last minute first. */
  rows(): RouteRow[] {
    const rows = new Map<string, RouteRow & { counts: number[] }>();
    for (const { method, route, status, file, count, counts } of this.#totals()) {
      const key = `${method} ${route}`;
      let row = rows.get(key);
      if (!row) {
        row = { method, route, requests: 0, errors: 0, rate: 0, p50: 0, p95: 0, p99: 0, counts: noCounts() };
        rows.set(key, row);
      }
      row.requests += count;
      if (status === '5xx') row.errors += count;
      if (file !== undefined) row.file = file;
      addCounts(row.counts, counts);
    }
    const { at, routes: before } = this.#snapshots[0] as Snapshot;
    const seconds = Math.max(1, (Date.now() - at) / 1000);
    return [...rows]
      .map(([key, { counts, ...row }]) => {
        const earlier = before.get(key);
        const recent = earlier ? counts.map((count, bucket) => count - (earlier[bucket] ?? 0)) : counts;
        const requests = recent.reduce((sum, count) => sum + count, 0);
        const shown = requests > 0 ? recent : counts;
        return {
          ...row,
          rate: Math.round((requests / seconds) * 100) / 100,
          p50: quantile(shown, 0.5) ?? 0,
          p95: quantile(shown, 0.95) ?? 0,
          p99: quantile(shown, 0.99) ?? 0,
        };
      })
      .sort((a, b) => b.rate - a.rate || b.requests - a.requests);
  }
}

function addCounts(to: number[], counts: readonly number[]): void {
  for (let bucket = 0; bucket < counts.length; bucket += 1) to[bucket] = (to[bucket] ?? 0) + (counts[bucket] as number);
}
