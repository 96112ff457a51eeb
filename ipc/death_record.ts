import type { ErrorData } from './error_data.js';

declare module '../tracing/payloads.js' {
  interface TracedTypes {
    death: DeathRecord;
  }
}

/** Why a process ended, and what decided it. */
export const DEATH_REASONS = {
  stop: 'request',
  reload: 'request',
  restart: 'request',
  scale: 'request',
  upgrade: 'request',
  size: 'sizing',
  'boot-error': 'itself',
  exception: 'itself',
  exit: 'itself',
  heap: 'itself',
  abort: 'itself',
  channel: 'itself',
  signal: 'signal',
  'oom-kill': 'kernel',
  'not-forked': 'kernel',
  hang: 'watchdog',
  'max-memory': 'limit',
  'max-memory-hard': 'limit',
  'max-loop-delay': 'limit',
  'max-requests': 'limit',
  'max-age': 'limit',
  'request-timeout': 'limit',
} as const;

export type DeathReason = keyof typeof DEATH_REASONS;

/** What decided that a process ends: `itself` is its own code, `request` somebody who asked the Master. */
export type DeathCause = (typeof DEATH_REASONS)[DeathReason];

/** What the Master remembers of a process that has ended. Secrets are masked. */
export interface DeathRecord {
  /** When it ended, as an ISO 8601 time. */
  at: string;
  /** `single`: the only process, with `workers: 0`. */
  kind: 'master' | 'agent' | 'app worker' | 'single';
  /** Its pid, or the id of its thread. */
  pid: number;
  /** Index of the worker's slot. */
  slot?: number;
  reason: DeathReason;
  by: DeathCause;
  /** Who asked the Master for it, for example `clutch reload of alice, pid 4711`. */
  asker?: string;
  /** A sentence. */
  text: string;
  /** What it was doing: `starting`, `ready`, `draining` and so on. */
  state: string;
  code: number | null;
  signal: string | null;
  /** Whether the Master killed it: its event loop was blocked, or its time to leave was over. */
  killed: boolean;
  /** Seconds. */
  uptime: number;
  /** At its last heartbeat, like what follows. */
  inFlight?: number;
  requests?: number;
  /** MiB. */
  memory?: number;
  /** The 99th percentile of the event-loop delay in the second before, in milliseconds. */
  loopDelay?: number;
  /** Milliseconds from the last heartbeat to the end. */
  silent?: number;
  /** The error that ended it. */
  error?: ErrorData;
  /** Where its event loop was blocked. */
  stack?: string;
  /** Requests that took longer than `requestTimeout`; `age` in milliseconds, `stack` is where it waits, if it was traced. */
  overdue?: { method: string; url: string; route?: string; age: number; stack?: string }[];
  /** What the process waited for then: names that Node has for it, and how many of each. */
  resources?: Record<string, number>;
  /** The last lines that it has written to logs, stdout and stderr. */
  lines: string[];
}
