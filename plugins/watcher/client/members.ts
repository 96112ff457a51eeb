import type { WatcherConfig } from '../lib/types.js';
import type { Watcher } from './watcher.js';

export type { ChangeInfo, EventSource, WatcherConfig } from '../lib/types.js';

declare module '../../../core/types.js' {
  interface KnownConfig {
    watcher?: WatcherConfig;
  }

  interface ApplicationExtension {
    watcher: Watcher;
  }
}

declare module '../../../framework/lib/agent_class.js' {
  interface Agent {
    watcher: Watcher;
  }
}
