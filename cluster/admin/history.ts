import type { Heartbeat } from '../control/cluster_report.js';
import { LATENCY_BOUNDS } from '../protocol/protocol.js';
import type { NowPoint } from './page_data.js';

/** Seconds. */
const MOST_POINTS = 120;
/** Milliseconds after which a process that sends no heartbeat counts as idle. */
const SILENCE = 3000;

/** What a process did between its last two heartbeats. */
interface Progress {
  at: number;
  requests: number;
  errors: number;
  counts: readonly number[];
  /** A second. */
  requestsRate: number;
  errorsRate: number;
  /** How many requests took how long, as in LatencyHistogram. */
  latency: readonly number[];
}

/** The last two minutes of the cluster, a point for each second, made of the heartbeats. */
export class History {
  readonly points: NowPoint[] = [];
  #progress = new Map<number, Progress>();

  /** To be called once a second. */
  add(heartbeats: readonly Heartbeat[], memory: number): void {
    const now = Date.now();
    const progress = new Map<number, Progress>();
    for (const heartbeat of heartbeats) {
      if (heartbeat.kind === 'app worker')
        progress.set(heartbeat.pid, progressOf(heartbeat, this.#progress.get(heartbeat.pid)));
    }
    this.#progress = progress;
    const active = [...progress].filter(([, { at }]) => now - at < SILENCE);
    const workers = heartbeats.filter(({ kind }) => kind === 'app worker');
    const latency = LATENCY_BOUNDS.concat(Number.POSITIVE_INFINITY).map((_, index) =>
      active.reduce((sum, [, each]) => sum + (each.latency[index] ?? 0), 0),
    );
    this.points.push({
      at: now,
      requests: Math.round(active.reduce((sum, [, { requestsRate }]) => sum + requestsRate, 0)),
      errors: Math.round(active.reduce((sum, [, { errorsRate }]) => sum + errorsRate, 0)),
      ...quantiles(latency),
      inFlight: workers.reduce((sum, { stats }) => sum + stats.inFlight, 0),
      loopDelay: Math.max(0, ...workers.map(({ stats }) => stats.loopP99)),
      memory: Math.round(memory * 10) / 10,
      cpu: heartbeats.reduce((sum, { cpu }) => sum + cpu, 0),
      byProcess: Object.fromEntries(active.map(([pid, { requestsRate }]) => [pid, Math.round(requestsRate)])),
    });
    if (this.points.length > MOST_POINTS) this.points.shift();
  }
}

/** Heartbeats and seconds do not coincide: the rate between the last two heartbeats holds until the next one. */
function progressOf({ at, stats }: Heartbeat, before: Progress | undefined): Progress {
  if (before?.at === at) return before;
  const { requests, errors, latency } = stats;
  const seconds = before ? (at - before.at) / 1000 : 0;
  return {
    at,
    requests,
    errors,
    counts: latency.counts,
    requestsRate: before && seconds > 0 ? (requests - before.requests) / seconds : 0,
    errorsRate: before && seconds > 0 ? (errors - before.errors) / seconds : 0,
    latency: before ? latency.counts.map((count, index) => count - (before.counts[index] ?? 0)) : [],
  };
}

function quantiles(counts: readonly number[]): Pick<NowPoint, 'p50' | 'p95' | 'p99'> {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return {};
  const at = (share: number): number => {
    let below = 0;
    const wanted = share * total;
    for (const [index, count] of counts.entries()) {
      if (below + count >= wanted && count > 0) {
        const from = LATENCY_BOUNDS[index - 1] ?? 0;
        const to = LATENCY_BOUNDS[index] ?? from;
        return Math.round(1e6 * (from + ((to - from) * (wanted - below)) / count)) / 1000;
      }
      below += count;
    }
    return 0;
  };
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}
