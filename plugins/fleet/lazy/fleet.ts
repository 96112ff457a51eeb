import { createRequire } from 'node:module';
import type { Agent } from '../../../framework/index.js';
import { reveal } from '../../../output/secrets.js';
import type { AdapterOptions, FleetAdapter } from '../lib/adapter/adapter.js';
import { MemoryAdapter } from '../lib/adapter/memory.js';
import { type FleetConfig, readConfig } from '../lib/config.js';
import { Fleet } from '../lib/fleet.js';

export { FleetStrategy } from '../lib/schedule/fleet_strategy.js';

const require = createRequire(import.meta.url);

/** @throws {ClutchError} ERR_CLUTCH_CONFIG, ERR_CLUTCH_FLEET */
export function createFleet(agent: Agent): Fleet {
  const config = readConfig(agent);
  return new Fleet(agent, config, createAdapter(config, agent.baseDir));
}

function createAdapter({ adapter, name, url, client, timeout }: FleetConfig, baseDir: string): FleetAdapter {
  const options: AdapterOptions = { name, url: reveal(url), client, timeout, baseDir };
  if (adapter === 'redis') {
    const { RedisAdapter } = require('./redis.js') as typeof import('./redis.js');
    return new RedisAdapter(options);
  }
  if (adapter === 'nats') {
    const { NatsAdapter } = require('./nats.js') as typeof import('./nats.js');
    return new NatsAdapter(options);
  }
  return new MemoryAdapter(options);
}
