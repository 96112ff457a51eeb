import { createRequire } from 'node:module';
import type { Agent } from '../../../framework/index.js';
import { JobBroker } from '../lib/agent/broker.js';
import { loadJobs } from '../lib/definition/load_jobs.js';
import type { EngineOptions, JobEngine } from '../lib/engine/engine.js';
import { MemoryTable } from '../lib/engine/memory_table.js';
import { TableEngine } from '../lib/engine/table_engine.js';
import { type EngineName, readConfig } from '../lib/options/config.js';

const require = createRequire(import.meta.url);

/** @throws {ClutchError} ERR_CLUTCH_CONFIG, ERR_CLUTCH_JOBS when a package of the engine is not installed */
export function createBroker(agent: Agent): JobBroker {
  const { engine: name, concurrency, ...options } = readConfig(agent);
  // Errors of the engine come when the broker is there.
  const engine = createEngine(name, { ...options, onError: (error) => broker.log(error) });
  const broker = new JobBroker(agent, engine, { concurrency, lease: options.lease });
  broker.define(loadJobs(agent, broker));
  return broker;
}

function createEngine(name: EngineName, options: EngineOptions): JobEngine {
  switch (name) {
    case 'redis': {
      const { RedisEngine } = require('./redis.js') as typeof import('./redis.js');
      return new RedisEngine(options);
    }
    case 'nats': {
      const { NatsEngine } = require('./nats.js') as typeof import('./nats.js');
      return new NatsEngine(options);
    }
    case 'sqlite': {
      const { sqliteEngine } = require('./sqlite.js') as typeof import('./sqlite.js');
      return sqliteEngine(options);
    }
    case 'memory':
      return new TableEngine(new MemoryTable(), options);
  }
}
