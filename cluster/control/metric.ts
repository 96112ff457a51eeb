import type { ChildTotals } from '../metrics/child_totals.js';
import type { MessageCounts } from '../metrics/message_counts.js';
import type { RouteTotal } from '../metrics/route_totals.js';
import type { GcCounts } from '../protocol/gc.js';
import type { LastReload } from '../supervise/rolling_restart.js';
import type { ClusterStatus } from './status.js';

/** What is measured of a process besides its status. */
export interface Reading {
  kind: string;
  pid: number;
  /** Bytes. */
  heapUsed: number;
  /** Milliseconds of processor time. */
  cpu: number;
  /** Share of the last second in which the event loop was busy; absent for the Master. */
  utilisation?: number;
  /** Bytes of messages that it has not read yet. */
  queued?: number;
  /** Messages for it that it could not keep. */
  dropped?: number;
  gc?: GcCounts;
}

export interface MetricsSource {
  status(): ClusterStatus;
  routes(): Iterable<RouteTotal>;
  readings(): Reading[];
  restarts(): { agent: number; worker: number };
  /** How many processes have ended, by reason. */
  deaths(): ReadonlyMap<string, number>;
  readonly messages: MessageCounts;
  readonly ended: ChildTotals;
  readonly reloads: Readonly<Record<'done' | 'failed', number>>;
  readonly lastReload: LastReload | undefined;
  /** Connections that the Master has accepted and no worker has taken. */
  readonly waitingConnections: number;
  /** Requests between processes that wait for a reply. */
  readonly pendingRequests: number;
}

export interface AdminSource extends MetricsSource {
  /** Whether the service takes requests. */
  isReady(): boolean;
  /** Whether the cluster has been ready once. */
  hasStarted(): boolean;
}

export interface Sample {
  /** Behind the name: `_sum`. */
  suffix?: string;
  labels: Record<string, string | number>;
  value: number;
}

export interface Metric {
  name: string;
  type: 'counter' | 'gauge' | 'histogram' | 'summary';
  help: string;
  labels: readonly string[];
  samples(source: MetricsSource): Iterable<Sample>;
}
