import type { Application } from '../../framework/index.js';

export default class StaticBoot {
  readonly #app: Application;

  constructor(app: Application) {
    this.#app = app;
  }

  configDidLoad(): void {
    const { coreMiddleware } = this.#app.config;
    const index = coreMiddleware.indexOf('bodyParser');
    coreMiddleware.splice(index < 0 ? coreMiddleware.length : index, 0, 'static');
  }
}
