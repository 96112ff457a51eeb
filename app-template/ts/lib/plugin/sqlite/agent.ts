import type { Agent } from 'koa-clutch';
import { type DatabaseConfig, openDatabase } from './lib/database.ts';

/** The Agent boots before the app workers: it makes file and tables while nobody else uses them. */
export default (agent: Agent): void => {
  agent.addSingleton('sqlite', (config: DatabaseConfig) => openDatabase(config));
};
