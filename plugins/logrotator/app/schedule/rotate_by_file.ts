import type { Application } from '../../../../framework/index.js';
import { DayRotator } from '../../lib/rotators.js';

export default (app: Application) => {
  const rotator = new DayRotator({ app });
  return {
    schedule: { type: 'worker', cron: '1 0 0 * * *', disable: app.config.logrotator.disableRotateByDay },
    task: () => rotator.rotate(),
  };
};
