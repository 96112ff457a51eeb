import { createRequire } from 'node:module';
import type { Agent } from '../../framework/index.js';
import type { JobBroker } from './lib/agent/broker.js';
import type {} from './lib/types.js';

const require = createRequire(import.meta.url);

export default class JobsAgent {
  readonly #agent: Agent;
  #broker: JobBroker | undefined;

  constructor(agent: Agent) {
    this.#agent = agent;
    agent.jobs = {};
  }

  /** Config is settled; hooks from here on may add jobs. */
  configDidLoad(): void {
    const { createBroker } = require('./lazy/broker.js') as typeof import('./lazy/broker.js');
    this.#broker = createBroker(this.#agent);
  }

  async didLoad(): Promise<void> {
    const broker = this.#broker;
    this.#agent.beforeClose(() => broker?.close());
    await broker?.open();
  }

  async serverDidReady(): Promise<void> {
    await this.#broker?.start();
  }
}
