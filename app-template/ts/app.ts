import { Boot } from 'koa-clutch';
import { greetings } from './app/greetings.ts';

/** Runs in every app worker. */
export default class AppBoot extends Boot {
  configDidLoad(): void {
    this.app.messenger.on('greeting', (text: string) => greetings.add(text));
  }

  async serverDidReady(): Promise<void> {
    this.app.messenger.sendToAgent('hello', process.pid);
  }

  async beforeClose(): Promise<void> {
    this.logger.info('app worker %d closes', process.pid);
  }
}
