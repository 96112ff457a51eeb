import { createRequire } from 'node:module';
import path from 'node:path';
import type { Agent, Application } from '../../../framework/index.js';
import { type ChangeInfo, type ChangeListener, OPEN } from '../lib/types.js';

const require = createRequire(import.meta.url);

type SharedClient = {
  subscribe(registration: { path: string }, listener: ChangeListener): void;
  unSubscribe(registration: { path: string }, listener: ChangeListener): void;
  ready(): Promise<void>;
};

/** `app.watcher`: what is watched in the Agent, once for all processes. */
export class Watcher {
  readonly #app: Application | Agent;
  readonly #listeners = new Map<string, Map<ChangeListener, ChangeListener>>();
  #client: Promise<SharedClient> | undefined;

  constructor(app: Application | Agent) {
    this.#app = app;
  }

  /**
   * Calls `listener` for each change of the paths, and of all that is below them; first for the last change, if the paths were
   * watched before. Relative paths start at the app.
   */
  watch(paths: string | string[], listener: ChangeListener): this {
    for (const file of this.#resolve(paths)) {
      const listeners = this.#listeners.get(file) ?? new Map();
      if (listeners.has(listener)) continue;
      const onValue = (info: ChangeInfo): void => this.#call(listener, info);
      this.#listeners.set(file, listeners.set(listener, onValue));
      this.#withClient((client) => client.subscribe({ path: file }, onValue));
    }
    return this;
  }

  /** Stops calling `listener` for these paths, or all listeners. */
  unwatch(paths: string | string[], listener?: ChangeListener): this {
    for (const file of this.#resolve(paths)) {
      const listeners = this.#listeners.get(file);
      for (const [each, onValue] of [...(listeners ?? [])]) {
        if (listener && each !== listener) continue;
        listeners?.delete(each);
        this.#withClient((client) => client.unSubscribe({ path: file }, onValue));
      }
    }
    return this;
  }

  /** Resolves when the Agent watches. */
  async ready(): Promise<void> {
    await (await this.#open()).ready();
  }

  #resolve(paths: string | string[]): string[] {
    return [paths].flat().map((file) => path.resolve(this.#app.baseDir, file));
  }

  #call(listener: ChangeListener, info: ChangeInfo): void {
    try {
      listener(info);
    } catch (error) {
      this.#app.coreLogger.error(error);
    }
  }

  #withClient(use: (client: SharedClient) => void): void {
    this.#open()
      .then(use)
      .catch((error: unknown) => this.#app.coreLogger.error(error));
  }

  /** Connected at first use: most apps watch nothing. */
  #open(): Promise<SharedClient> {
    this.#client ??= this.#connect();
    return this.#client;
  }

  async #connect(): Promise<SharedClient> {
    const app = this.#app;
    const isFollower = app.type === 'application' && app.options.leader !== undefined;
    if (isFollower) {
      const ask = (): Promise<unknown> => app.messenger.request('agent', OPEN);
      await ask();
      // Another Agent has to be asked, too.
      app.messenger.on('egg-pids', ([agent]: unknown[]) => {
        if (typeof agent === 'number') ask().catch((error: unknown) => app.coreLogger.error(error));
      });
    }
    const { WatchClient } = require('../lazy/watch_client.js') as typeof import('../lazy/watch_client.js');
    const client = app.cluster(WatchClient).create(app.config, app.coreLogger) as unknown as SharedClient;
    await client.ready();
    return client;
  }
}
