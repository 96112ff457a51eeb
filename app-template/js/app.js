import { Boot } from 'koa-clutch';
import { greetings } from './app/greetings.js';

/** Runs in every app worker. */
export default class AppBoot extends Boot {
  configDidLoad() {
    this.app.messenger.on('greeting', (text) => greetings.add(text));
  }

  async serverDidReady() {
    this.app.messenger.sendToAgent('hello', process.pid);
  }

  async beforeClose() {
    this.logger.info('app worker %d closes', process.pid);
  }
}
