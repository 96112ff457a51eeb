import type { Application } from '../../framework/index.js';
import { checkConfig, fileModePredicate } from './lib/options.js';
import type { MultipartConfig } from './lib/types.js';

export default class MultipartApp {
  readonly #app: Application;

  constructor(app: Application) {
    this.#app = app;
  }

  configDidLoad(): void {
    const { config } = this.#app;
    const options = config.multipart as MultipartConfig;
    checkConfig(options);
    if (fileModePredicate(options)) config.coreMiddleware.push('multipart');
  }
}
