import type { Agent, Application } from '../../../../framework/index.js';
import { FleetClient } from './fleet_client.js';

const CLIENT = Symbol('fleet.client');
const METHODS = ['get', 'set', 'remove', 'hit'] as const;

type Host = (Application | Agent) & { [CLIENT]?: FleetClient };

/** @returns the client of this process, which has its calls made in the Agent */
export function fleetClient(app: Application | Agent, ...args: ConstructorParameters<typeof FleetClient>): FleetClient {
  const host = app as Host;
  if (!host[CLIENT]) {
    const { timeout = 2000 } = host.config.fleet ?? {};
    const options = { name: 'clutch-fleet', responseTimeout: timeout + 1000, maxWaitTime: 10_000, autoGenerate: false };
    const builder = host.cluster(FleetClient, options);
    for (const method of METHODS) builder.delegate(method, 'invoke');
    host[CLIENT] = builder.create(...args);
  }
  return host[CLIENT];
}

/** Makes a call again whose Agent was replaced meanwhile. */
export async function overReplacement<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_CLUTCH_LEADER_GONE') throw error;
    return call();
  }
}
