import type { Agent } from '../../../../framework/index.js';
import { Scheduler } from '../../lib/scheduler.js';
import { ScheduleStrategy } from '../../lib/strategy.js';
import { TimerScheduleStrategy } from '../../lib/timer_strategy.js';

const SCHEDULER = Symbol('agent.schedule');

type Host = Agent & { [SCHEDULER]?: Scheduler };

export default {
  ScheduleStrategy,
  TimerScheduleStrategy,

  get schedule(): Scheduler {
    const agent = this as unknown as Host;
    return (agent[SCHEDULER] ??= new Scheduler(agent));
  },
};
