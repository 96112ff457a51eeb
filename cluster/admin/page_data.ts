import type { DeathRecord } from '../../ipc/death_record.js';
import type { ClusterStatus } from '../control/status.js';
import type { LogLine } from '../logs/log_line.js';
import type { MessagesView } from '../metrics/message_counts.js';
import type { RouteRow } from '../metrics/route_rates.js';
import type { SlowRequest } from '../protocol/slow_request.js';

export type { MessagesView } from '../metrics/message_counts.js';
export type { RouteRow } from '../metrics/route_rates.js';
export type { RequestSpan, SlowRequest } from '../protocol/slow_request.js';

/**
 * What the page shows: `GET /api/views/<name>` responds with one of these as JSON, and `GET /api/events?views=now,logs` streams
 * the same data as server-sent events of that name, each when it has changed, `now` and `routes` once a second. Of `logs`, the first
 * event of a stream has all lines that are kept, and each other one those that have come since.
 */
export interface Views {
  now: NowView;
  routes: RoutesView;
  deaths: DeathRecord[];
  boot: BootView[];
  config: ConfigView;
  plugins: PluginView[];
  messages: MessagesView;
  schedule: ScheduleView;
  logs: LogLine[];
  fleet: FleetView;
}

export type ViewName = keyof Views;

/**
 * What a button does: `POST /api/actions/<name>` with this as JSON, which responds `{ value }` or, with status 4xx or 5xx,
 * `{ error }`. With `admin: { readOnly: true }` each is refused.
 */
export interface Actions {
  reload: Record<string, never>;
  /** One process, by pid or thread id. */
  restart: { pid: number };
  scale: { workers: number };
  runSchedule: { key: string };
  profile: { pid: number; kind: 'cpu' | 'heap' | 'allocations'; seconds?: number };
  retryJob: { queue: string; id: string };
}

export interface NowView {
  cluster: ClusterStatus;
  app: { name: string; version: string; env: string; node: string; clutch: string; pid: number };
  readOnly: boolean;
  /** One point a second, the newest last, at most 120. */
  history: NowPoint[];
  /** By pid of an app worker: milliseconds, of the requests that ended between its last two heartbeats; absent when none did. */
  latency: Record<string, { p50?: number; p99?: number }>;
  /** What the last reload did; absent when there was none. */
  lastReload?: ClusterStatus['lastReload'];
}

export interface NowPoint {
  /** Milliseconds since the epoch. */
  at: number;
  /** In this second, over all workers. */
  requests: number;
  errors: number;
  /** Milliseconds, of the requests that ended in this second; absent when none did. */
  p50?: number;
  p95?: number;
  p99?: number;
  inFlight: number;
  /** The largest of the app workers, in milliseconds. */
  loopDelay: number;
  /** MiB over all processes. */
  memory: number;
  /** Percent of one processor over all processes. */
  cpu: number;
  /** By process: pid → requests in this second. */
  byProcess: Record<string, number>;
}

export interface RoutesView {
  routes: RouteRow[];
  /** The slowest requests of the last minutes, recorded while somebody looks. */
  slowest: SlowRequest[];
}

export interface BootView {
  kind: 'agent' | 'app worker';
  pid: number;
  at: string;
  /** Milliseconds from the start of the process to ready. */
  took: number;
  steps: BootStep[];
}

export interface BootStep {
  name: string;
  /** Milliseconds after the process started. */
  start: number;
  took: number;
  /** The file of the app or plugin, and its line where that is known. */
  file?: string;
  /** On the critical chain. */
  critical: boolean;
}

export interface ConfigView {
  leaves: ConfigLeaf[];
}

export interface ConfigLeaf {
  /** `security.csrf.enable`. */
  key: string;
  /** Masked as in dumps, as JSON. */
  value: string;
  /** The files that set it, the last one wins. */
  sources: { file: string; value?: string }[];
}

export interface PluginView {
  name: string;
  enabled: boolean;
  /** Why it is on or off. */
  reason: string;
  from: string;
  path?: string;
  version?: string;
  dependencies: string[];
  optionalDependencies: string[];
}

export interface ScheduleView {
  schedules: {
    key: string;
    type: string;
    /** `cron` or `interval` as written. */
    when: string;
    disabled: boolean;
    next?: string;
    history: { at: string; took: number; ok: boolean; error?: string; pid?: number }[];
  }[];
  queues: {
    name: string;
    waiting: number;
    active: number;
    delayed: number;
    failed: number;
    failedJobs: { id: string; error: string; at: string }[];
  }[];
}

export interface FleetView {
  /** Absent without the fleet plugin. */
  name?: string;
  self?: string;
  members: {
    id: string;
    state: string;
    version: string;
    host: string;
    /** Of its Agent. */
    pid: number;
    workers: number;
    load: number;
    since: string;
  }[];
}
