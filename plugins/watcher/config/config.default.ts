import type { WatcherConfig } from '../lib/types.js';

export default {
  watcher: {
    /** `default` watches nothing, `development` files and directories; others by `eventSources`. */
    type: 'default',
    eventSources: {},
  } as WatcherConfig,
};
