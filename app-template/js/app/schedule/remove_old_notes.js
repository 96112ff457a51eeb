import { Subscription } from 'koa-clutch';

/** Every night, on one app worker. */
export default class RemoveOldNotes extends Subscription {
  static get schedule() {
    return { type: 'worker', cron: '0 4 * * *' };
  }

  async subscribe() {
    const { keepDays } = this.config.notes;
    const count = this.ctx.service.note.removeOlderThan(keepDays);
    this.logger.info('removed %d notes older than %d days', count, keepDays);
  }
}
