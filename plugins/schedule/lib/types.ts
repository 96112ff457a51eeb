import { isMainThread, threadId } from 'node:worker_threads';
import type { Context } from '../../../core/index.js';

/** What a schedule file says about when and where its task runs. */
export interface ScheduleOptions {
  /** `worker` for one app worker, `all` for each of them, or a type of `agent.schedule.use()`. */
  type?: string;
  /** Milliseconds, or a text such as `'10s'`. */
  interval?: number | string;
  /** Five fields, or six with seconds first. */
  cron?: string;
  /** `tz`, `startDate`, `endDate` and others of cron-parser. */
  cronOptions?: Record<string, unknown>;
  /** Run once as soon as the cluster is ready; not again if only the Agent restarts. */
  immediate?: boolean;
  disable?: boolean;
  /** Environments in which it runs; default all. */
  env?: string[];
  /** What happens when a run is due while the last one has not ended; default `skip`. */
  overlap?: 'skip' | 'queue' | 'allow';
  /** Time after which a run counts as failed; the task itself cannot be stopped. */
  timeout?: number | string;
  /** How often a run whose worker died begins again on another worker; default 1. */
  retry?: number;
  [option: string]: unknown;
}

export type ScheduleTask = (ctx: Context, ...args: unknown[]) => unknown;

/** One schedule file. */
export interface ScheduleItem {
  /** Real path of its file. */
  key: string;
  /** What commands and logs call it: the path below `app/schedule` without extension, `<plugin>/…` for a plugin. */
  name?: string;
  schedule: ScheduleOptions;
  task: ScheduleTask;
}

/** What the Agent asks a worker to run. */
export interface Job {
  key: string;
  id: string;
  args: unknown[];
  /** Id of the Agent that asks: one that has been replaced may not know it yet. */
  agent: number;
}

/** Why a worker does not run a job: it closes, its code has no such schedule, or there is another Agent by now. */
type Refusal = 'closing' | 'unknown' | 'disabled' | 'replaced';

/** What a worker says when it is asked. */
export type Acceptance = { accepted: true } | { accepted: false; reason: Refusal };

/** What a worker reports, once it is done. */
export interface JobResult {
  key: string;
  id: string;
  success: boolean;
  /** Pid, or thread id, of the worker. */
  workerId: number | undefined;
  /** Milliseconds. */
  rt: number;
  message: string;
}

/** Requests between Agent and workers. Both directions of `job` have Egg's name for it. */
export const ACTION = {
  /** To a worker: a Job, replied to with an Acceptance. To the Agent: its JobResult. */
  job: 'egg-schedule',
  /** To a worker: what is it running? Replied to with WorkerState. */
  state: 'egg-schedule:state',
  /** To all workers: keys whose immediate run has been dispatched. */
  immediate: 'egg-schedule:immediate',
  /** To the Agent: a ScheduleCommand of `clutch schedule`. */
  command: 'clutch-schedule',
} as const;

/** What workers know, for an Agent that has just started. */
export interface WorkerState {
  running: Job[];
  /** Keys whose immediate run has been dispatched in this cluster. */
  immediate: string[];
  /** When the Agent before the present one died, in milliseconds since the epoch; undefined if it was replaced. */
  agentDied?: number;
}

/** @returns the id that the Master knows this process by */
export function processId(): number {
  return isMainThread ? process.pid : threadId;
}
