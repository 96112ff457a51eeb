import { lostOutput } from '../../output/stdio.js';
import { residentMemory } from '../protocol/memory.js';
import type { Vitals } from '../protocol/vitals.js';
import type { ChildKind, ChildState, ManagedChild } from '../supervise/managed_child.js';
import type { LastReload } from '../supervise/rolling_restart.js';
import type { Slot } from '../supervise/slot.js';

/** A process, or the slot of one that is in `backoff` until the next is started. */
export interface ProcessStatus {
  /** `single`: the only process, with `workers: 0`. */
  kind: 'master' | 'agent' | 'app worker' | 'single';
  /** Undefined in state `backoff`. */
  pid?: number;
  state: ChildState | MasterState | 'backoff';
  /** Index of the worker's slot in the cluster. */
  slot?: number;
  /** Seconds; 0 in state `backoff`. */
  uptime: number;
  /** In state `backoff`: number of the next attempt to fill the slot, counted from the first crash. */
  attempt?: number;
  /** In state `backoff`: when that attempt begins, as an ISO 8601 time. */
  nextAttempt?: string;
  /** Processes before it in its slot. */
  restarts: number;
  /** Why the one before it ended. */
  lastExit?: string;
  /** MiB. */
  memory?: number;
  /** Percent of one CPU between the last two heartbeats. */
  cpu?: number;
  /** Event-loop delay in milliseconds. */
  loopP50?: number;
  loopP99?: number;
  inFlight?: number;
  /** Web sockets and streams of events. */
  live?: number;
  requests?: number;
  /** Open ones. */
  connections?: number;
  /** Lines that could not be written to logs, stdout and stderr; of the Master: with those of processes that have ended. */
  lostLogLines?: number;
  /**
   * Messages that it sent and that could not be delivered, and those for it that were dropped before it was ready; of the Master: with
   * those of processes that have ended.
   */
  undeliveredMessages?: number;
  /** Options that it runs with, where they differ from those of the cluster: they were changed after it was started. */
  options?: Record<string, number>;
}

export type MasterState = 'starting' | 'ready' | 'closing' | 'closed';

/** Of the process that the others depend on, or of the only one. */
export const MASTER_TRANSITIONS = {
  starting: ['ready', 'closing'],
  ready: ['closing'],
  closing: ['closed'],
  closed: [],
} as const satisfies Record<MasterState, readonly MasterState[]>;

export interface ClusterStatus {
  state: MasterState;
  address: string;
  baseDir: string;
  /** How many workers are wanted; 0 when Agent and app are in one process. */
  workers: number;
  /** By all app workers since the cluster started, as of their last heartbeats; `errors` have status 5xx. */
  served: { requests: number; errors: number };
  /** Absent when there was none. */
  lastReload?: LastReload | undefined;
  /** Those that can be changed while it runs, as they are now. */
  options: Readonly<Record<string, number>>;
  processes: ProcessStatus[];
}

/** @param current the options of the cluster that can be changed, as they are now */
export function childStatus(child: ManagedChild, current: Readonly<Record<string, number>>): ProcessStatus {
  const { kind, slot, handle, stats } = child;
  const others = Object.entries(child.options).filter(([name, value]) => current[name] !== value);
  return {
    kind,
    pid: handle.id,
    state: child.state,
    uptime: seconds(Date.now() - child.bootedAt),
    ...slotStatus(kind, slot),
    undeliveredMessages: child.undeliveredMessages + (stats?.droppedMessages ?? 0),
    ...(others.length > 0 ? { options: Object.fromEntries(others) } : {}),
    ...vitalsStatus(child, { serves: kind === 'app worker' }),
  };
}

/** @param serves whether it serves HTTP */
export function vitalsStatus({ stats, cpuPercent }: Vitals, { serves }: { serves: boolean }): Partial<ProcessStatus> {
  if (!stats) return {};
  const { inFlight, live, requests, connections } = stats;
  return {
    memory: mebibytes(stats.rss),
    cpu: cpuPercent,
    loopP50: stats.loopP50,
    loopP99: stats.loopP99,
    lostLogLines: stats.lostLines,
    ...(serves ? { inFlight, live, requests, connections } : {}),
  };
}

/** @param retryAt when the next process is started, in milliseconds since the epoch */
export function backoffStatus(kind: ChildKind, slot: Slot, retryAt: number): ProcessStatus {
  return {
    kind,
    state: 'backoff',
    uptime: 0,
    attempt: slot.backoff.attempt,
    nextAttempt: new Date(retryAt).toISOString(),
    ...slotStatus(kind, slot),
  };
}

function slotStatus(kind: ChildKind, slot: Slot): Pick<ProcessStatus, 'slot' | 'restarts' | 'lastExit'> {
  return {
    ...(kind === 'app worker' ? { slot: slot.index } : {}),
    restarts: slot.restarts,
    ...(slot.lastExit === undefined ? {} : { lastExit: slot.lastExit.split('\n')[0] }),
  };
}

/** What processes that have ended have lost, and messages of the Master itself. */
export interface Losses {
  lines: number;
  messages: number;
}

export function masterStatus(state: MasterState, begin: number, { lines, messages }: Losses): ProcessStatus {
  return {
    kind: 'master',
    pid: process.pid,
    state,
    uptime: seconds(Date.now() - begin),
    restarts: 0,
    memory: mebibytes(residentMemory()),
    lostLogLines: lostOutput() + lines,
    undeliveredMessages: messages,
  };
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 100) / 10;
}

function mebibytes(bytes: number): number {
  return Math.round((bytes / 1024 / 1024) * 10) / 10;
}
