import type { DevelopmentConfig } from '../lib/types.js';

export default {
  development: {
    watchDirs: [],
    ignoreDirs: [],
    fastReady: false,
    reloadOnDebug: true,
    overrideDefault: false,
    overrideIgnore: false,
    reloadPattern: undefined,
  } as DevelopmentConfig,
};
