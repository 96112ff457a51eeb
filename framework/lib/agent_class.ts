import { toError } from '../../errors.js';
import type { DeathRecord } from '../../ipc/death_record.js';
import { AgentWorkerLoader } from '../../loader/index.js';
import { type ApplicationOptions, BaseApplication } from './base_application.js';
import { loadBuiltIn } from './built_in.js';
import { FRAMEWORK_DIR } from './framework_dir.js';

/** The application of the Agent: loads `agent.js` of every load unit and serves no HTTP. */
export class Agent extends BaseApplication {
  /** `death`: a process of the cluster has ended, one that was asked to included. */
  declare on: ((event: 'death', listener: (record: DeathRecord) => void) => this) & BaseApplication['on'];
  #keepAlive: NodeJS.Timeout | undefined;
  readonly #onException = (thrown: unknown): void => {
    const error = toError(thrown);
    if (error.name === 'Error') error.name = 'unhandledExceptionError';
    this.coreLogger.error(error);
  };

  /** An Agent serves no HTTP: what it loads ahead is less than what an Application does. */
  static override warmUp(): void {
    loadBuiltIn('agent');
  }

  constructor(options: ApplicationOptions = {}) {
    options.type = 'agent';
    super(options);
    // An Agent outlives an exception: what it does once per machine should not stop for one bad callback.
    // While it boots, an exception is a boot error.
    this.lifecycle.readyState.onSettled((error) => {
      if (!error && options.mode !== 'single') process.on('uncaughtException', this.#onException);
    });
    // Not earlier: while it boots, a process in which nothing is left to wait for has failed.
    this.messenger.once('egg-ready', () => {
      this.#keepAlive = setInterval(() => undefined, 24 * 60 * 60 * 1000);
    });
    this.beforeClose(() => {
      clearInterval(this.#keepAlive);
      process.off('uncaughtException', this.#onException);
    });
    this.loadFiles();
  }

  get [Symbol.for('egg#eggPath')](): string {
    return FRAMEWORK_DIR;
  }

  get [Symbol.for('egg#loader')](): typeof AgentWorkerLoader {
    return AgentWorkerLoader;
  }
}
