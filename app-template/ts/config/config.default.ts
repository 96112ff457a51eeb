import type { AppInfo } from 'koa-clutch';

export default (appInfo: AppInfo) => ({
  // Signs cookies. Give production its own, e.g. from an environment variable in config.prod.ts.
  keys: `${appInfo.name}_{{keys}}`,
  middleware: ['poweredBy'],
  poweredBy: { name: 'clutch' },
});
