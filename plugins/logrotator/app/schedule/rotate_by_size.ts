import type { Application } from '../../../../framework/index.js';
import { SizeRotator } from '../../lib/rotators.js';

export default (app: Application) => {
  const { rotateDuration, filesRotateBySize } = app.config.logrotator;
  const rotator = new SizeRotator({ app });
  return {
    schedule: { type: 'worker', interval: rotateDuration, disable: !filesRotateBySize?.length },
    task: () => rotator.rotate(),
  };
};
