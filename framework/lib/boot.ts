import type { AppConfig } from '../../core/index.js';
import { ClutchError } from '../../errors.js';
import type { Agent } from './agent_class.js';
import type { Application } from './application_class.js';

/** The base class for Boot classes; extending it is optional. */
export class Boot<T extends Application | Agent = Application> {
  readonly #instance: T;

  constructor(instance: T) {
    this.#instance = instance;
  }

  get config(): AppConfig {
    return this.#instance.config;
  }

  get logger(): T['logger'] {
    return this.#instance.logger;
  }

  /** @throws {ClutchError} ERR_CLUTCH_LIFECYCLE in agent.js */
  get app(): Application {
    return this.#expect('application') as unknown as Application;
  }

  /** @throws {ClutchError} ERR_CLUTCH_LIFECYCLE in app.js */
  get agent(): Agent {
    return this.#expect('agent') as unknown as Agent;
  }

  #expect(type: 'application' | 'agent'): T {
    if (this.#instance.type === type) return this.#instance;
    throw new ClutchError('ERR_CLUTCH_LIFECYCLE', `this Boot class runs in the ${this.#instance.type}`, {
      fix: `There is no ${type} in this process; use messenger to reach it.`,
    });
  }
}
