import type { Agent, Logger } from '../../../framework/index.js';
import type { Job, JobResult, ScheduleOptions } from './types.js';

/** When a schedule runs, and where. Types of one's own extend it, and are added with `agent.schedule.use(type, Class)`. */
export class ScheduleStrategy {
  readonly agent: Agent;
  /** Real path of the schedule file. */
  readonly key: string;
  readonly schedule: ScheduleOptions;
  /** Runs so far. */
  count = 0;

  constructor(schedule: ScheduleOptions, agent: Agent, key: string) {
    this.schedule = schedule;
    this.agent = agent;
    this.key = key;
  }

  get logger(): Logger {
    return this.agent.getLogger('scheduleLogger') ?? this.agent.coreLogger;
  }

  /** Called when the cluster is ready. */
  start(): void {}

  /** Called when the Agent closes, and when the schedule is unregistered. */
  close(): void {}

  /** Called with `{ key, id, args }` when a run goes to a worker. */
  onJobStart(_info: object): void {}

  /** Called with the result of a run. */
  onJobFinish(_info: JobResult): void {}

  /** Called with a run that goes on since the Agent before this one, and what will come of it. */
  onJobAdopted(_info: Omit<Job, 'agent'>, _ended: Promise<JobResult>): void {}

  /** Has one app worker run the task; resolves with the result, whatever it is. */
  sendOne(...args: unknown[]): Promise<JobResult> {
    return this.agent.schedule.send(this, args);
  }

  /** Has every app worker run the task. */
  sendAll(...args: unknown[]): Promise<JobResult[]> {
    return this.agent.schedule.sendAll(this, args);
  }
}
