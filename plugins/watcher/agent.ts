import type { Agent } from '../../framework/index.js';
import type {} from './client/members.js';
import { OPEN } from './lib/types.js';

/** Has the real client made when the first app worker needs it. */
export default class WatcherAgent {
  readonly #agent: Agent;

  constructor(agent: Agent) {
    this.#agent = agent;
  }

  configDidLoad(): void {
    this.#agent.messenger.onRequest(OPEN, () => this.#agent.watcher.ready());
  }
}
