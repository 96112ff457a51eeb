import type { Application } from '../../../../framework/index.js';
import { configOf, removeExpired } from '../../lib/rotators.js';

export default (app: Application) => {
  return {
    schedule: { type: 'worker', cron: '0 0 * * *', disable: !configOf(app).maxDays },
    task: () => removeExpired(app),
  };
};
