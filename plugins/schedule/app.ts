import type { Application } from '../../framework/index.js';
import type {} from './lib/members.js';

export default class ScheduleApp {
  readonly #app: Application;

  constructor(app: Application) {
    this.#app = app;
  }

  async didLoad(): Promise<void> {
    const { scheduleWorker } = this.#app;
    scheduleWorker.init();
    // Tasks that have begun may use what other hooks close.
    this.#app.beforeClose(() => scheduleWorker.close());
  }
}
