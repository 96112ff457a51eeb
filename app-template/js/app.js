import { Boot } from 'koa-clutch';
import { sendToPages } from './app/live.js';

/** Runs in every app worker. */
export default class AppBoot extends Boot {
  configDidLoad() {
    this.app.messenger.on('note.announced', sendToPages);
  }

  async beforeClose() {
    this.logger.info('app worker %d closes', process.pid);
  }
}
