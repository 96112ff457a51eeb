import path from 'node:path';
import type { AppInfo } from '../../../framework/index.js';
import type { StaticConfig } from '../lib/options.js';

export default (appInfo: AppInfo) => ({
  static: {
    prefix: '/public/',
    dir: path.join(appInfo.baseDir, 'app/public'),
    dynamic: true,
    preload: false,
    buffer: false,
    maxFiles: 1000,
  } satisfies StaticConfig,
});
