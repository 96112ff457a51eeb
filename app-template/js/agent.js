import { Boot } from 'koa-clutch';

/** Runs once per machine, beside the app workers. */
export default class AgentBoot extends Boot {
  #count = 0;

  configDidLoad() {
    // All changes pass through here, so that every app worker announces them with the same ids, in the same order.
    this.agent.messenger.on('note.changed', (change) => {
      this.#count += 1;
      this.agent.messenger.sendToApp('note.announced', { id: String(this.#count), ...change });
    });
  }
}
