import type { Application } from '../../../../framework/index.js';
import { ScheduleWorker } from '../../lib/schedule_worker.js';

const WORKER = Symbol('app.scheduleWorker');

type Host = Application & { [WORKER]?: ScheduleWorker };

export default {
  get scheduleWorker(): ScheduleWorker {
    const app = this as unknown as Host;
    return (app[WORKER] ??= new ScheduleWorker(app));
  },

  async runSchedule(wanted: string, ...args: unknown[]): Promise<unknown> {
    return (this as unknown as { scheduleWorker: ScheduleWorker }).scheduleWorker.run(wanted, args);
  },
};
