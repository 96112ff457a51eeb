import type { ChildState, ManagedChild } from '../supervise/managed_child.js';

export interface ProcessStatus {
  kind: 'master' | 'agent' | 'app worker';
  pid: number;
  state: ChildState | MasterState;
  /** Index of the worker's place in the cluster. */
  slot?: number;
  /** Seconds. */
  uptime: number;
  /** Processes before it in its place. */
  restarts: number;
  /** Why the one before it ended. */
  lastExit?: string;
  /** MiB. */
  memory?: number;
  /** Percent of one processor since the last look. */
  cpu?: number;
  /** Event-loop delay in milliseconds. */
  loopP50?: number;
  loopP99?: number;
  inFlight?: number;
  requests?: number;
}

export type MasterState = 'starting' | 'ready' | 'closing' | 'closed';

export interface ClusterStatus {
  state: MasterState;
  address: string;
  baseDir: string;
  /** How many workers are wanted. */
  workers: number;
  processes: ProcessStatus[];
}

export function childStatus(child: ManagedChild): ProcessStatus {
  const { kind, stats, slot, handle } = child;
  return {
    kind,
    pid: handle.id,
    state: child.state,
    ...(kind === 'app worker' ? { slot: slot.index } : {}),
    uptime: seconds(Date.now() - handle.spawnedAt),
    restarts: slot.restarts,
    ...(slot.lastExit === undefined ? {} : { lastExit: slot.lastExit.split('\n')[0] }),
    ...(stats && {
      memory: mebibytes(stats.rss),
      cpu: child.cpuPercent,
      loopP50: stats.loopP50,
      loopP99: stats.loopP99,
      ...(kind === 'app worker' ? { inFlight: stats.inFlight, requests: stats.requests } : {}),
    }),
  };
}

export function masterStatus(state: MasterState, begin: number): ProcessStatus {
  return {
    kind: 'master',
    pid: process.pid,
    state,
    uptime: seconds(Date.now() - begin),
    restarts: 0,
    memory: mebibytes(process.memoryUsage.rss()),
  };
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 100) / 10;
}

function mebibytes(bytes: number): number {
  return Math.round((bytes / 1024 / 1024) * 10) / 10;
}
