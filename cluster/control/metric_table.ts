import type { RouteTotal } from '../metrics/route_totals.js';
import { addGc, GC_KINDS, noGc } from '../protocol/gc.js';
import { LATENCY_BOUNDS } from '../protocol/latency.js';
import type { Metric, MetricsSource, Reading, Sample } from './metric.js';
import type { ProcessStatus } from './status.js';

/** Seconds: buckets that `/metrics` shows. Each is a bound of those that the workers count by. */
const SHOWN_BOUNDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10].map((seconds) => ({
  seconds,
  index: LATENCY_BOUNDS.indexOf(seconds * 1000),
}));

/** Kinds of process that serve HTTP. */
const SERVING = ['app worker', 'single'];
const KIND_AND_PID = ['kind', 'pid'];

const single = (value: number): Sample[] => [{ labels: {}, value }];
const by = (label: string, values: Iterable<[string, number]>): Sample[] =>
  [...values].map(([key, value]) => ({ labels: { [label]: key }, value }));

/** One sample for each process of which `value` knows something. */
function ofProcesses<P extends { kind: string; pid?: number }>(
  processes: readonly P[],
  value: (process: P) => number | undefined,
): Sample[] {
  return processes.flatMap((process) => {
    const { kind, pid } = process;
    const found = value(process);
    return pid === undefined || found === undefined ? [] : [{ labels: { kind, pid }, value: found }];
  });
}

const fromStatus =
  (value: (process: ProcessStatus) => number | undefined): Metric['samples'] =>
  (source) =>
    ofProcesses(source.status().processes, value);

const fromReadings =
  (value: (reading: Reading) => number | undefined): Metric['samples'] =>
  (source) =>
    ofProcesses(source.readings(), value);

/** Messages that processes could not keep until they were ready. */
function droppedBy(source: MetricsSource): number {
  return source.readings().reduce((sum, { dropped = 0 }) => sum + dropped, source.ended.dropped);
}

/** The sum and count of a summary, from milliseconds. */
function summary(labels: Sample['labels'], count: number, took: number): Sample[] {
  return [
    { suffix: '_sum', labels, value: took / 1000 },
    { suffix: '_count', labels, value: count },
  ];
}

function* durations({ method, route, status, counts, count, sum }: RouteTotal): Generator<Sample> {
  const labels = { method, route, status };
  let bucket = 0;
  let below = 0;
  for (const { seconds, index } of SHOWN_BOUNDS) {
    for (; bucket <= index; bucket += 1) below += counts[bucket] ?? 0;
    yield { suffix: '_bucket', labels: { ...labels, le: seconds }, value: below };
  }
  yield { suffix: '_bucket', labels: { ...labels, le: '+Inf' }, value: count };
  yield* summary(labels, count, sum);
}

function gcOf(source: MetricsSource): Sample[] {
  return (['agent', 'app worker'] as const).flatMap((kind) => {
    const counts = noGc();
    addGc(counts, source.ended.gc[kind]);
    for (const reading of source.readings()) if (reading.kind === kind && reading.gc) addGc(counts, reading.gc);
    return counts.flatMap(([count, took], index) => summary({ kind, gc: GC_KINDS[index] as string }, count, took));
  });
}

/** Names, units and labels of all that `/metrics` shows. A name that was released stays: dashboards and alerts use it. */
export const METRICS: readonly Metric[] = [
  {
    name: 'clutch_http_requests_total',
    type: 'counter',
    help: 'Requests to which the app workers have responded.',
    labels: [],
    samples: (source) => single(source.status().served.requests),
  },
  {
    name: 'clutch_http_errors_total',
    type: 'counter',
    help: 'Responses of the app workers with status 5xx.',
    labels: [],
    samples: (source) => single(source.status().served.errors),
  },
  {
    name: 'clutch_http_request_duration_seconds',
    type: 'histogram',
    help: 'Time from the request to the end of its response, by declared route and class of status.',
    labels: ['method', 'route', 'status', 'le'],
    *samples(source) {
      for (const each of source.routes()) yield* durations(each);
    },
  },
  {
    name: 'clutch_requests_in_flight',
    type: 'gauge',
    help: 'Requests in flight.',
    labels: KIND_AND_PID,
    samples: fromStatus(({ inFlight }) => inFlight),
  },
  {
    name: 'clutch_worker_requests',
    type: 'gauge',
    help: 'Requests to which this app worker has responded.',
    labels: ['kind', 'pid', 'slot'],
    samples: (source) =>
      source.status().processes.flatMap(({ kind, pid, slot = 0, requests }) => {
        if (pid === undefined || requests === undefined) return [];
        return [{ labels: { kind, pid, slot }, value: requests }];
      }),
  },
  {
    name: 'clutch_connections',
    type: 'gauge',
    help: 'Open connections.',
    labels: KIND_AND_PID,
    samples: fromStatus(({ connections }) => connections),
  },
  {
    name: 'clutch_live_connections',
    type: 'gauge',
    help: 'Web sockets and streams of events.',
    labels: KIND_AND_PID,
    samples: fromStatus(({ live }) => live),
  },
  {
    name: 'clutch_connections_waiting',
    type: 'gauge',
    help: 'Connections that the Master has accepted and no app worker has taken.',
    labels: [],
    samples: ({ waitingConnections }) => single(waitingConnections),
  },
  {
    name: 'clutch_connections_cut_total',
    type: 'counter',
    help: 'Connections that were cut because the time to drain was over.',
    labels: [],
    samples: ({ ended }) => single(ended.cut),
  },
  {
    name: 'clutch_workers_ready',
    type: 'gauge',
    help: 'App workers that take requests.',
    labels: [],
    samples: (source) => {
      const { processes } = source.status();
      return single(processes.filter(({ kind, state }) => SERVING.includes(kind) && state === 'ready').length);
    },
  },
  {
    name: 'clutch_workers_wanted',
    type: 'gauge',
    help: 'App workers that there shall be.',
    labels: [],
    samples: (source) => single(source.status().workers),
  },
  {
    name: 'clutch_processes',
    type: 'gauge',
    help: 'Processes by what they do: starting, candidate, ready, draining, backoff.',
    labels: ['kind', 'state'],
    samples: (source) => {
      const counts = new Map<string, Sample>();
      for (const { kind, state } of source.status().processes) {
        const sample = counts.get(`${kind} ${state}`) ?? { labels: { kind, state }, value: 0 };
        sample.value += 1;
        counts.set(`${kind} ${state}`, sample);
      }
      return counts.values();
    },
  },
  {
    name: 'clutch_restarts_total',
    type: 'counter',
    help: 'Processes that have been replaced.',
    labels: ['kind'],
    samples: (source) => {
      const { agent, worker } = source.restarts();
      return by('kind', [
        ['agent', agent],
        ['app worker', worker],
      ]);
    },
  },
  {
    name: 'clutch_deaths_total',
    type: 'counter',
    help: 'Processes that have ended.',
    labels: ['reason'],
    samples: (source) => by('reason', source.deaths()),
  },
  {
    name: 'clutch_backoff_attempt',
    type: 'gauge',
    help: 'Next attempt to fill a slot whose processes crash soon after they start.',
    labels: ['kind', 'slot'],
    samples: (source) =>
      source.status().processes.flatMap(({ kind, slot = 0, attempt }) => {
        return attempt === undefined ? [] : [{ labels: { kind, slot }, value: attempt }];
      }),
  },
  {
    name: 'clutch_drain_duration_seconds',
    type: 'summary',
    help: 'Time from the beginning of the draining of a process to its end.',
    labels: ['kind'],
    samples: ({ ended }) =>
      Object.entries(ended.drains).flatMap(([kind, { count, took }]) => summary({ kind }, count, took)),
  },
  {
    name: 'clutch_reloads_total',
    type: 'counter',
    help: 'Reloads that have ended.',
    labels: ['outcome'],
    samples: ({ reloads }) => by('outcome', Object.entries(reloads)),
  },
  {
    name: 'clutch_reload_duration_seconds',
    type: 'gauge',
    help: 'Duration of the last reload, once it has ended.',
    labels: [],
    samples: ({ lastReload }) => (lastReload?.took === undefined ? [] : single(lastReload.took / 1000)),
  },
  {
    name: 'clutch_messages_total',
    type: 'counter',
    help: 'Messages between processes that the Master has passed on.',
    labels: ['from', 'to'],
    samples: ({ messages }) => {
      const sums = new Map<string, Sample>();
      for (const { from, to, count } of messages.all) {
        const sample = sums.get(`${from} ${to}`) ?? { labels: { from, to }, value: 0 };
        sample.value += count;
        sums.set(`${from} ${to}`, sample);
      }
      return sums.values();
    },
  },
  {
    name: 'clutch_messages_undelivered_total',
    type: 'counter',
    help: 'Messages that could not be delivered; `full`: the receiver does not read, `dropped`: it was not ready and too many waited, or the message could not leave for the fleet.',
    labels: ['reason'],
    samples: (source) => by('reason', [...source.messages.undelivered, ['dropped', droppedBy(source)]]),
  },
  {
    name: 'clutch_message_queue_bytes',
    type: 'gauge',
    help: 'Messages that the Master has for a process and that it has not read yet.',
    labels: KIND_AND_PID,
    samples: fromReadings(({ queued }) => queued),
  },
  {
    name: 'clutch_message_requests_pending',
    type: 'gauge',
    help: 'Requests between processes that wait for a reply.',
    labels: [],
    samples: ({ pendingRequests }) => single(pendingRequests),
  },
  {
    name: 'clutch_lost_log_lines_total',
    type: 'counter',
    help: 'Lines that could not be written to logs, stdout and stderr.',
    labels: [],
    samples: (source) => single(source.status().processes.reduce((sum, { lostLogLines = 0 }) => sum + lostLogLines, 0)),
  },
  {
    name: 'clutch_event_loop_delay_seconds',
    type: 'gauge',
    help: 'Event-loop delay of the last second.',
    labels: ['kind', 'pid', 'quantile'],
    samples: (source) =>
      source.status().processes.flatMap(({ kind, pid, loopP50, loopP99 }) => {
        if (pid === undefined || loopP50 === undefined || loopP99 === undefined) return [];
        return [
          { labels: { kind, pid, quantile: '0.5' }, value: loopP50 / 1000 },
          { labels: { kind, pid, quantile: '0.99' }, value: loopP99 / 1000 },
        ];
      }),
  },
  {
    name: 'clutch_event_loop_utilization_ratio',
    type: 'gauge',
    help: 'Share of the last second in which the event loop was busy.',
    labels: KIND_AND_PID,
    samples: fromReadings(({ utilisation }) => utilisation),
  },
  {
    name: 'clutch_gc_duration_seconds',
    type: 'summary',
    help: 'Garbage collection, by its kind.',
    labels: ['kind', 'gc'],
    samples: gcOf,
  },
  {
    name: 'clutch_cpu_seconds_total',
    type: 'counter',
    help: 'Processor time of the process.',
    labels: KIND_AND_PID,
    samples: fromReadings(({ cpu }) => cpu / 1000),
  },
  {
    name: 'clutch_resident_memory_bytes',
    type: 'gauge',
    help: 'Resident memory.',
    labels: KIND_AND_PID,
    samples: fromStatus(({ memory }) => memory && Math.round(memory * 1024 * 1024)),
  },
  {
    name: 'clutch_heap_used_bytes',
    type: 'gauge',
    help: 'Used heap of V8.',
    labels: KIND_AND_PID,
    samples: fromReadings(({ heapUsed }) => heapUsed),
  },
  {
    name: 'clutch_uptime_seconds',
    type: 'gauge',
    help: 'Age of the process.',
    labels: KIND_AND_PID,
    samples: fromStatus(({ uptime, pid }) => (pid === undefined ? undefined : uptime)),
  },
];
