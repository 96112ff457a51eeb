import type { FleetConfig } from './config.js';
import type { Fleet } from './fleet.js';
import type { FleetMessenger } from './messenger/fleet_messenger.js';
import type { RateLimitConfig } from './shared/rate_limit.js';

export type { FleetConfig } from './config.js';
export type { Fleet } from './fleet.js';
export type { FleetMessenger } from './messenger/fleet_messenger.js';

declare module '../../../framework/lib/agent_class.js' {
  interface Agent {
    /** This machine as a member of the fleet; with plugin `fleet`. */
    fleet: Fleet;
  }
}

declare module '../../../framework/lib/messenger/messenger.js' {
  interface Messenger {
    /** The same to the processes of all machines; with plugin `fleet`. */
    fleet: FleetMessenger;
  }
}

declare module '../../../core/types.js' {
  interface KnownConfig {
    fleet?: Partial<FleetConfig>;
    rateLimit?: RateLimitConfig & { match?: unknown; ignore?: unknown; enable?: boolean };
  }
}
