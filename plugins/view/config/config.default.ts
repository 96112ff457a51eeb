import path from 'node:path';
import type { AppInfo } from '../../../framework/index.js';
import type { ViewConfig } from '../lib/options.js';

export default (appInfo: AppInfo) => ({
  view: {
    root: path.join(appInfo.baseDir, 'app/view'),
    cache: true,
    defaultExtension: '.html',
    defaultViewEngine: '',
    mapping: {},
  } satisfies ViewConfig,
});
