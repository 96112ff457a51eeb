import type { Application } from '../../../../framework/index.js';
import { configOf, HourRotator } from '../../lib/rotators.js';

export default (app: Application) => {
  const rotator = new HourRotator({ app });
  return {
    schedule: { type: 'worker', cron: '1 * * * *', disable: !configOf(app).filesRotateByHour?.length },
    task: () => rotator.rotate(),
  };
};
