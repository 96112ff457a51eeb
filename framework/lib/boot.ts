import type { AppConfig } from '../../core/index.js';
import { ClutchError } from '../../errors.js';
import type { Agent } from './agent_class.js';
import type { Application } from './application_class.js';
import { BaseApplication } from './base_application.js';

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
    if (isApplication(this.#instance)) return this.#instance;
    throw notHere('Application', 'Agent');
  }

  /** @throws {ClutchError} ERR_CLUTCH_LIFECYCLE in app.js */
  get agent(): Agent {
    if (isApplication(this.#instance)) throw notHere('Agent', 'Application');
    return this.#instance;
  }
}

// Set here: the application's own file must not import one that imports it.
for (const name of ['Boot', 'BaseHookClass']) Object.defineProperty(BaseApplication.prototype, name, { value: Boot });

function isApplication(instance: Application | Agent): instance is Application {
  return instance.type === 'application';
}

function notHere(wanted: string, actual: string): ClutchError {
  return new ClutchError('ERR_CLUTCH_LIFECYCLE', `this Boot class runs in the ${actual}, not in the ${wanted}`, {
    fix: 'Use messenger to reach the other process.',
  });
}
