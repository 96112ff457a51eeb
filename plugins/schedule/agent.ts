import type { Agent } from '../../framework/index.js';
import type {} from './lib/members.js';

export default class ScheduleAgent {
  readonly #agent: Agent;

  constructor(agent: Agent) {
    this.#agent = agent;
  }

  /** All types are known by now: agent.js of every load unit has run. */
  async willReady(): Promise<void> {
    const { schedule } = this.#agent;
    schedule.init();
    // An Agent that has been replaced must not go on beside the next one while its other hooks run.
    this.#agent.beforeClose(() => schedule.close());
  }

  async serverDidReady(): Promise<void> {
    await this.#agent.schedule.start();
  }
}
