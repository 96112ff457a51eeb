import type { Application } from '../../framework/index.js';
import { isDevSession, joinDevSession } from './lib/dev_session.js';
import type { DevelopmentConfig } from './lib/types.js';

export default class DevelopmentApp {
  readonly #app: Application;

  constructor(app: Application) {
    this.#app = app;
  }

  configWillLoad(): void {
    if (isDevSession()) this.#app.config.coreMiddleware.unshift('devErrors');
  }

  configDidLoad(): void {
    const { fastReady } = this.#app.config.development as DevelopmentConfig;
    if (fastReady) process.nextTick(() => this.#app.ready(true));
  }

  async didLoad(): Promise<void> {
    if (isDevSession()) joinDevSession(this.#app);
  }
}
