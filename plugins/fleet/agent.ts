import type { Agent } from '../../framework/index.js';
import type {} from './lib/types.js';

export default class FleetAgent {
  readonly #agent: Agent;

  constructor(agent: Agent) {
    this.#agent = agent;
    agent.messenger.fleet = agent.fleet.messenger;
  }

  async didLoad(): Promise<void> {
    const { fleet } = this.#agent;
    // Hooks that come later may use it, and close before it.
    this.#agent.beforeClose(() => fleet.close());
    await fleet.start();
  }

  async serverDidReady(): Promise<void> {
    await this.#agent.fleet.ready();
  }
}
