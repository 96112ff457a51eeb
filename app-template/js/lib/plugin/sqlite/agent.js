import { openDatabase } from './lib/database.js';

/** The Agent boots before the app workers: it makes file and tables while nobody else uses them. */
export default (agent) => {
  agent.addSingleton('sqlite', (config) => openDatabase(config));
};
