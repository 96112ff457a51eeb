import { type Agent, Boot } from 'koa-clutch';
import type { NoteChange } from './app/messages.ts';

/** Runs once per machine, beside the app workers. */
export default class AgentBoot extends Boot<Agent> {
  #count = 0;

  configDidLoad(): void {
    // All changes pass through here, so that every app worker announces them with the same ids, in the same order.
    this.agent.messenger.on('note.changed', (change: NoteChange) => {
      this.#count += 1;
      this.agent.messenger.sendToApp('note.announced', { id: String(this.#count), ...change });
    });
  }
}
