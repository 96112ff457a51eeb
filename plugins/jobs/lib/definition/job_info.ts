import type { FinishedError, JobRecord, JobState } from '../engine/record.js';

/** A job as it is kept. Times are milliseconds since the epoch. */
export interface JobInfo {
  id: string;
  key?: string;
  state: JobState;
  data: unknown;
  /** Attempts that have failed. */
  failures: number;
  attempts: number;
  addedAt: number;
  /** Not before; of a delayed job. */
  runAt?: number;
  startedAt?: number;
  endedAt?: number;
  progress?: number;
  result?: unknown;
  /** Of the last attempt that failed. */
  error?: FinishedError;
}

export function infoOf({
  data,
  result,
  token: _,
  leasedUntil: __,
  losses: ___,
  backoff: ____,
  carrier: _____,
  runAt,
  ...rest
}: JobRecord): JobInfo {
  return {
    ...rest,
    data: JSON.parse(data) as unknown,
    ...(rest.state === 'delayed' ? { runAt } : {}),
    ...(result === undefined ? {} : { result: JSON.parse(result) as unknown }),
  };
}
