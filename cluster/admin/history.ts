import type { Heartbeat } from '../control/cluster_report.js';
import { noCounts, quantile } from '../protocol/latency.js';
import type { NowPoint, NowView } from './page_data.js';

/** Seconds. */
const MOST_POINTS = 120;
/** Milliseconds after which a process that sends no heartbeat counts as idle. */
const SILENCE = 3000;

/** What a process did between its last two heartbeats. */
interface Progress {
  at: number;
  requests: number;
  errors: number;
  /** A second. */
  requestsRate: number;
  errorsRate: number;
  /** How many requests took how long, by bucket. */
  latency: readonly number[];
}

/** The last two minutes of the cluster, a point for each second, made of the heartbeats. */
export class History {
  readonly points: NowPoint[] = [];
  #progress = new Map<number, Progress>();

  /** By pid, of those that have sent a heartbeat lately. */
  get latency(): NowView['latency'] {
    return Object.fromEntries(this.#active().map(([pid, { latency }]) => [pid, quantiles(latency)]));
  }

  /** To be called once a second. */
  add(heartbeats: readonly Heartbeat[], memory: number): void {
    const now = Date.now();
    const progress = new Map<number, Progress>();
    for (const heartbeat of heartbeats) {
      if (heartbeat.kind === 'app worker')
        progress.set(heartbeat.pid, progressOf(heartbeat, this.#progress.get(heartbeat.pid)));
    }
    this.#progress = progress;
    const active = this.#active();
    const workers = heartbeats.filter(({ kind }) => kind === 'app worker');
    const latency = noCounts().map((_, index) => active.reduce((sum, [, each]) => sum + (each.latency[index] ?? 0), 0));
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

  #active(): [pid: number, progress: Progress][] {
    return [...this.#progress].filter(([, { at }]) => Date.now() - at < SILENCE);
  }
}

/** Heartbeats and seconds do not coincide: the rate between the last two heartbeats holds until the next one. */
function progressOf({ at, stats, latency }: Heartbeat, before: Progress | undefined): Progress {
  if (before?.at === at) return before;
  const { requests, errors } = stats;
  const seconds = before ? (at - before.at) / 1000 : 0;
  return {
    at,
    requests,
    errors,
    requestsRate: before && seconds > 0 ? (requests - before.requests) / seconds : 0,
    errorsRate: before && seconds > 0 ? (errors - before.errors) / seconds : 0,
    latency: before ? latency : [],
  };
}

function quantiles(counts: readonly number[]): Pick<NowPoint, 'p50' | 'p95' | 'p99'> {
  const p50 = quantile(counts, 0.5);
  if (p50 === undefined) return {};
  return { p50, p95: quantile(counts, 0.95) as number, p99: quantile(counts, 0.99) as number };
}
