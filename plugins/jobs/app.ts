import { createRequire } from 'node:module';
import type { Application } from '../../framework/index.js';
import type {} from './lib/types.js';
import type { AppJobs } from './lib/worker/app_jobs.js';

const require = createRequire(import.meta.url);

export default class JobsApp {
  readonly #app: Application;
  #jobs: AppJobs | undefined;

  constructor(app: Application) {
    this.#app = app;
    app.jobs = {};
    app.runJob = async (name, data) => this.#jobs?.run(name, data);
  }

  /** Config is settled; hooks from here on may add jobs. */
  configDidLoad(): void {
    const { AppJobs } = require('./lazy/worker.js') as typeof import('./lazy/worker.js');
    this.#jobs = new AppJobs(this.#app);
  }

  async didLoad(): Promise<void> {
    // Jobs that have begun may use what other hooks close.
    this.#app.beforeClose(() => this.#jobs?.close());
  }
}
