import type { Application } from 'koa-clutch';
import { type Database, type DatabaseConfig, openDatabase } from './lib/database.ts';

declare module 'koa-clutch' {
  interface ApplicationExtension {
    /** The database of `config.sqlite.client`; it is closed with the app. */
    sqlite: Database;
  }
}

export default (app: Application): void => {
  app.addSingleton('sqlite', (config: DatabaseConfig) => openDatabase(config));
};
