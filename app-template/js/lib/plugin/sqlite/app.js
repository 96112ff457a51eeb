import { openDatabase } from './lib/database.js';

/** @param {import('koa-clutch').Application} app */
export default (app) => {
  app.addSingleton('sqlite', (config) => openDatabase(config));
};
