import { openDatabase } from './lib/database.js';

/** The Agent boots before the app workers: it makes file and tables while nobody else uses them. One in memory is of no use to others. */
export default (agent) => {
  if (agent.config.sqlite.client.file === ':memory:') return;
  agent.addSingleton('sqlite', (config) => openDatabase(config));
};
