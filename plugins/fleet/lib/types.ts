import type { Secret } from '../../../output/secrets.js';
import type { Fleet } from './fleet.js';
import type { FleetMessenger } from './messenger/fleet_messenger.js';

export type { Fleet } from './fleet.js';
export type { FleetMessenger } from './messenger/fleet_messenger.js';

export interface FleetConfig {
  /** `memory` (default) for one machine, `redis` or `nats`, whose client the app installs. */
  adapter: 'memory' | 'redis' | 'nats';
  /** Of the server. */
  url: string | Secret | undefined;
  /** Of the fleet: machines with the same name on the same server belong together. Default: the name of the app. */
  name: string;
  /** Of this machine, the same after a restart. Default: made of host and directory. */
  member: string;
  /** Milliseconds that a lease lasts, and that a machine is missing before it is taken off the list. Default 10000. */
  lease: number;
  /** Milliseconds that a call to the server may take, and that messages wait for a connection. Default 2000. */
  timeout: number;
  /** Options of the client, passed on as they are: `tls`, `username`, `sentinels` …; `nodes` for a Redis Cluster. */
  client: Record<string, unknown>;
}

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
  }
}
