import type { Context, IJobs } from '../../../../core/index.js';

export default {
  get jobs(): IJobs {
    return (this as unknown as Context).app.jobs;
  },
};
