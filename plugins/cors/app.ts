import type { Application } from '../../framework/index.js';

export default class CorsBoot {
  readonly #app: Application;

  constructor(app: Application) {
    this.#app = app;
  }

  configDidLoad(): void {
    // First, so that preflight requests are answered and errors have the headers too.
    this.#app.config.coreMiddleware.unshift('cors');
  }
}
