import { Boot } from 'koa-clutch';
import { sendToPages } from './app/live.ts';

/** Runs in every app worker. */
export default class AppBoot extends Boot {
  configDidLoad(): void {
    this.app.messenger.on('note.announced', sendToPages);
  }

  async beforeClose(): Promise<void> {
    this.logger.info('app worker %d closes', process.pid);
  }
}
