import type { Application } from '../../framework/index.js';
import type { DevelopmentConfig } from './lib/types.js';

export default class DevelopmentApp {
  readonly #app: Application;

  constructor(app: Application) {
    this.#app = app;
  }

  configDidLoad(): void {
    const { fastReady } = this.#app.config.development as DevelopmentConfig;
    if (fastReady) process.nextTick(() => this.#app.ready(true));
  }
}
