import type { Gauge as GaugeType } from 'prom-client';
import { LATENCY_BOUNDS, type ProcessStats } from '../protocol/protocol.js';
import type { ClusterStatus } from './status.js';

/** Requests and their latency over all workers, those that have ended included. */
export interface RequestTotals {
  requests: number;
  /** Responses with status 5xx. */
  errors: number;
  /** As in LatencyHistogram. */
  counts: number[];
  sum: number;
}

export function noRequests(): RequestTotals {
  return { requests: 0, errors: 0, counts: new Array<number>(LATENCY_BOUNDS.length + 1).fill(0), sum: 0 };
}

export function addRequests(totals: RequestTotals, stats: ProcessStats | undefined): RequestTotals {
  if (!stats) return totals;
  return {
    requests: totals.requests + stats.requests,
    errors: totals.errors + stats.errors,
    counts: totals.counts.map((count, index) => count + (stats.latency.counts[index] ?? 0)),
    sum: totals.sum + stats.latency.sum,
  };
}

export interface MetricsSource {
  status(): ClusterStatus;
  requests(): RequestTotals;
  restarts(): { agent: number; worker: number };
  /** How many processes have ended, by reason. */
  deaths(): ReadonlyMap<string, number>;
  heapUsed(): { kind: string; pid: number; bytes: number }[];
}

/** @returns a function that writes the state of the whole cluster in the text format of Prometheus */
export async function createMetrics(source: MetricsSource): Promise<{ contentType: string; text(): Promise<string> }> {
  const { Counter, Gauge, Registry } = await import('prom-client');
  const registry = new Registry();
  const registers = [registry];

  const perProcess = (
    name: string,
    help: string,
    set: (gauge: GaugeType<'kind' | 'pid'>) => void,
    more: string[] = [],
  ): void => {
    new Gauge({
      name,
      help,
      labelNames: ['kind', 'pid', ...more] as never,
      registers,
      collect() {
        this.reset();
        set(this as never);
      },
    });
  };
  const fromStatus = (
    name: string,
    help: string,
    key: 'memory' | 'inFlight' | 'connections' | 'uptime',
    factor = 1,
  ): void =>
    perProcess(name, help, (gauge) => {
      for (const { kind, pid, [key]: value } of source.status().processes) {
        if (pid !== undefined && value !== undefined) gauge.set({ kind, pid }, value * factor);
      }
    });

  new Counter({
    name: 'clutch_http_requests_total',
    help: 'Requests to which the app workers have responded.',
    registers,
    collect() {
      this.reset();
      this.inc(source.requests().requests);
    },
  });
  new Counter({
    name: 'clutch_http_errors_total',
    help: 'Responses of the app workers with status 5xx.',
    registers,
    collect() {
      this.reset();
      this.inc(source.requests().errors);
    },
  });
  new Counter({
    name: 'clutch_restarts_total',
    help: 'Processes that have been replaced.',
    labelNames: ['kind'],
    registers,
    collect() {
      this.reset();
      const { agent, worker } = source.restarts();
      this.inc({ kind: 'agent' }, agent);
      this.inc({ kind: 'app worker' }, worker);
    },
  });
  new Counter({
    name: 'clutch_deaths_total',
    help: 'Processes that have ended.',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset();
      for (const [reason, count] of source.deaths()) this.inc({ reason }, count);
    },
  });
  registry.registerMetric(latencyMetric(source) as never);
  new Gauge({
    name: 'clutch_workers_ready',
    help: 'App workers that take requests.',
    registers,
    collect() {
      const { processes } = source.status();
      this.set(processes.filter(({ kind, state }) => kind === 'app worker' && state === 'ready').length);
    },
  });
  new Gauge({
    name: 'clutch_backoff_attempt',
    help: 'Next attempt to fill a slot whose processes crash soon after they start.',
    labelNames: ['kind', 'slot'],
    registers,
    collect() {
      this.reset();
      for (const { kind, slot = 0, attempt } of source.status().processes) {
        if (attempt !== undefined) this.set({ kind, slot }, attempt);
      }
    },
  });
  fromStatus('clutch_requests_in_flight', 'Requests in flight.', 'inFlight');
  perProcess(
    'clutch_worker_requests',
    'Requests to which this app worker has responded.',
    (gauge) => {
      for (const { pid, slot, requests } of source.status().processes) {
        if (pid !== undefined && requests !== undefined)
          gauge.set({ kind: 'app worker', pid, slot } as never, requests);
      }
    },
    ['slot'],
  );
  fromStatus('clutch_connections', 'Open connections.', 'connections');
  fromStatus('clutch_resident_memory_bytes', 'Resident memory.', 'memory', 1024 * 1024);
  fromStatus('clutch_uptime_seconds', 'Age of the process.', 'uptime');
  perProcess('clutch_heap_used_bytes', 'Used heap of V8.', (gauge) => {
    for (const { kind, pid, bytes } of source.heapUsed()) gauge.set({ kind, pid }, bytes);
  });
  perProcess(
    'clutch_event_loop_delay_seconds',
    'Event-loop delay of the last second.',
    (gauge) => {
      for (const { kind, pid, loopP50, loopP99 } of source.status().processes) {
        if (pid === undefined || loopP50 === undefined || loopP99 === undefined) continue;
        gauge.set({ kind, pid, quantile: '0.5' } as never, loopP50 / 1000);
        gauge.set({ kind, pid, quantile: '0.99' } as never, loopP99 / 1000);
      }
    },
    ['quantile'],
  );
  return { contentType: registry.contentType, text: () => registry.metrics() };
}

/** The library's own histogram takes observations only, and the workers have counted already. */
function latencyMetric(source: MetricsSource): object {
  const name = 'clutch_http_request_duration_seconds';
  return {
    name,
    get() {
      const { counts, sum } = source.requests();
      let total = 0;
      const buckets = counts.map((count, index) => {
        total += count;
        return { metricName: `${name}_bucket`, labels: { le: LATENCY_BOUNDS[index] ?? '+Inf' }, value: total };
      });
      return {
        name,
        help: 'Time from the request to the end of its response.',
        type: 'histogram',
        values: [
          ...buckets,
          { metricName: `${name}_sum`, labels: {}, value: sum },
          { metricName: `${name}_count`, labels: {}, value: total },
        ],
      };
    },
  };
}
