import type { Agent } from 'koa-clutch';
import { type DatabaseConfig, openDatabase } from './lib/database.ts';

/** The Agent boots before the app workers: it makes file and tables while nobody else uses them. One in memory is of no use to others. */
export default (agent: Agent): void => {
  if (agent.config.sqlite.client.file === ':memory:') return;
  agent.addSingleton('sqlite', (config: DatabaseConfig) => openDatabase(config));
};
