import type { Carrier } from '../../../../tracing/payloads.js';
import type { TakenJob } from './attempt.js';
import type { BackoffTimes } from './backoff.js';

/** `delayed` is waiting for a time that has not come. */
export type JobState = 'waiting' | 'delayed' | 'active' | 'completed' | 'failed';

/** What an engine is asked to keep: times are read, data is JSON. */
export interface NewJob {
  /** Made by who adds it, so that adding again after a lost reply adds nothing. */
  id: string;
  key: string | undefined;
  /** JSON. */
  data: string;
  /** Milliseconds from now. */
  delay: number;
  attempts: number;
  backoff: BackoffTimes;
  /** Of who traces jobs. */
  carrier?: Carrier;
}

/** Why an attempt failed. */
export interface FinishedError {
  name: string;
  message: string;
  stack?: string;
}

/** A job as an engine keeps it. Times are milliseconds since the epoch. */
export interface JobRecord {
  id: string;
  key?: string;
  /** JSON. */
  data: string;
  state: JobState;
  /** Attempts that have failed. */
  failures: number;
  attempts: number;
  backoff?: BackoffTimes;
  carrier?: Carrier;
  /** How often the process that ran it has died. */
  losses: number;
  addedAt: number;
  /** Not before. */
  runAt: number;
  /** 0 to 100, or whatever the handler reports. */
  progress?: number;
  /** Of the active attempt. */
  token?: string;
  leasedUntil?: number;
  startedAt?: number;
  endedAt?: number;
  /** JSON. */
  result?: string;
  error?: FinishedError;
}

/** A job whose process dies more often is kept as failed: it may be what kills it. */
export const MAX_LOSSES = 3;

export function lostTooOften(losses: number): FinishedError {
  return { name: 'Error', message: `the process that ran it died ${losses} times` };
}

/** @returns the record as `get` and `list` show it: a job that waits for its time is delayed */
export function shown(record: JobRecord, now: number): JobRecord {
  return record.state === 'waiting' && record.runAt > now ? { ...record, state: 'delayed' } : record;
}

export function isDue({ state, runAt }: JobRecord, now: number): boolean {
  return state === 'waiting' && runAt <= now;
}

/** @returns whether the attempt is lost: nobody has renewed its lease */
export function isLost({ state, leasedUntil = 0 }: JobRecord, now: number): boolean {
  return state === 'active' && leasedUntil <= now;
}

export function isActive({ state, token }: JobRecord, wanted: string): boolean {
  return state === 'active' && token === wanted;
}

export function newRecord({ key, delay, ...rest }: NewJob, now: number): JobRecord {
  const times = { addedAt: now, runAt: now + delay };
  return { ...rest, ...(key === undefined ? {} : { key }), state: 'waiting', failures: 0, losses: 0, ...times };
}

// Transitions. Each gives a new record; who stores it makes sure that the old one was the current one.

export function claimed(record: JobRecord, token: string, lease: number, now: number): JobRecord {
  const { progress: _, ...rest } = record;
  return { ...rest, state: 'active', token, leasedUntil: now + lease, startedAt: now };
}

export function renewed(record: JobRecord, lease: number, now: number): JobRecord {
  return { ...record, leasedUntil: now + lease };
}

export function completed(record: JobRecord, result: string | undefined, now: number): JobRecord {
  const { error: _, ...rest } = ended(record, now);
  return { ...rest, state: 'completed', ...(result === undefined ? {} : { result }) };
}

export function failed(record: JobRecord, error: FinishedError, delay: number | undefined, now: number): JobRecord {
  const failures = record.failures + 1;
  if (delay === undefined) return { ...ended(record, now), state: 'failed', failures, error };
  return { ...idle(record), state: 'waiting', failures, error, runAt: now + delay };
}

export function givenBack(record: JobRecord, lost: boolean, now: number): JobRecord {
  const losses = record.losses + (lost ? 1 : 0);
  if (losses > MAX_LOSSES) return { ...ended(record, now), state: 'failed', losses, error: lostTooOften(losses) };
  return { ...idle(record), state: 'waiting', losses };
}

export function retried(record: JobRecord, now: number): JobRecord {
  const { endedAt: _, ...rest } = record;
  return { ...rest, state: 'waiting', failures: 0, losses: 0, runAt: now };
}

function idle({ token: _, leasedUntil: __, startedAt: ___, ...rest }: JobRecord): JobRecord {
  return rest;
}

function ended({ token: _, leasedUntil: __, ...rest }: JobRecord, now: number): JobRecord {
  return { ...rest, endedAt: now };
}

/** @returns what the Agent gets of a job that it has claimed */
export function takenFrom(queue: string, record: JobRecord, token: string): TakenJob {
  const { id, key, data, failures, attempts, backoff, addedAt, carrier } = record;
  const taken = { queue, id, token, key, data, attempt: failures + 1, attempts, backoff, addedAt };
  return carrier ? { ...taken, carrier } : taken;
}
