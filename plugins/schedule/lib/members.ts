import type { ScheduleWorker } from './schedule_worker.js';
import type { Scheduler } from './scheduler.js';
import type { ScheduleStrategy } from './strategy.js';
import type { TimerScheduleStrategy } from './timer_strategy.js';

export type { ScheduleStrategy } from './strategy.js';
export type { ScheduleItem, ScheduleOptions } from './types.js';

declare module '../../../framework/lib/agent_class.js' {
  interface Agent {
    /** Decides when schedules run. */
    schedule: Scheduler;
    ScheduleStrategy: typeof ScheduleStrategy;
    TimerScheduleStrategy: typeof TimerScheduleStrategy;
  }
}

declare module '../../../core/types.js' {
  interface KnownConfig {
    schedule?: {
      /** Absolute directories whose files are schedules, besides `app/schedule` of every load unit. */
      directory?: string[];
    };
  }

  interface ApplicationExtension {
    /** Runs schedules in this process. */
    scheduleWorker: ScheduleWorker;
    /** Runs one schedule now, in this process; by name, or path below `app/schedule`. */
    runSchedule(wanted: string, ...args: unknown[]): Promise<unknown>;
  }
}
