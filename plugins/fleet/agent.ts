import { createRequire } from 'node:module';
import type { Agent } from '../../framework/index.js';
import type {} from '../schedule/lib/members.js';
import type {} from './lib/types.js';

const require = createRequire(import.meta.url);

export default class FleetAgent {
  readonly #agent: Agent;

  constructor(agent: Agent) {
    this.#agent = agent;
    agent.messenger.fleet = agent.fleet.messenger;
  }

  async didLoad(): Promise<void> {
    const { fleet, schedule } = this.#agent;
    const { FleetStrategy } = require('./lazy/fleet.js') as typeof import('./lazy/fleet.js');
    // An app may have turned plugin schedule off.
    (schedule as typeof schedule | undefined)?.use('fleet', FleetStrategy);
    // Hooks that come later may use it, and close before it.
    this.#agent.beforeClose(() => fleet.close());
    await fleet.start();
  }

  async serverDidReady(): Promise<void> {
    await this.#agent.fleet.ready();
  }
}
