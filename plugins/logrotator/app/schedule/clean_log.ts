import type { Application } from '../../../../framework/index.js';
import { removeExpired } from '../../lib/rotators.js';

export default (app: Application) => {
  return {
    schedule: { type: 'worker', cron: '0 0 * * *', disable: !app.config.logrotator.maxDays },
    task: () => removeExpired(app),
  };
};
