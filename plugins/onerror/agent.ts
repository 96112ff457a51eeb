import type { Agent } from '../../framework/index.js';

export default class OnerrorBoot {
  readonly #agent: Agent;

  constructor(agent: Agent) {
    this.#agent = agent;
  }

  configDidLoad(): void {
    this.#agent.on('error', (error: unknown) => this.#agent.coreLogger.error(error));
  }
}
