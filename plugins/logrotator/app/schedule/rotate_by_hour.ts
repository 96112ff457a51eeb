import type { Application } from '../../../../framework/index.js';
import { HourRotator } from '../../lib/rotators.js';

export default (app: Application) => {
  const rotator = new HourRotator({ app });
  return {
    schedule: { type: 'worker', cron: '1 * * * *', disable: !app.config.logrotator.filesRotateByHour?.length },
    task: () => rotator.rotate(),
  };
};
