import type { Agent } from '../../framework/index.js';
import type {} from '../watcher/client/members.js';
import { changeFilter, concernsAgent, watchedPaths } from './lib/changes.js';
import { isDevSession } from './lib/dev_session.js';
import type { DevelopmentConfig } from './lib/types.js';

/** Milliseconds in which changes are gathered before a reload. */
const SETTLE = 50;

/** Has the Master replace app workers when their files change, and the Agent when its own do. */
export default class DevelopmentAgent {
  readonly #agent: Agent;
  #timer: NodeJS.Timeout | undefined;
  #files = new Set<string>();

  constructor(agent: Agent) {
    this.#agent = agent;
  }

  async didLoad(): Promise<void> {
    const { baseDir, config, options, watcher } = this.#agent;
    const development = config.development as DevelopmentConfig;
    if (options.mode === 'single' || !development.reloadOnDebug) return;
    const isReason = changeFilter(baseDir, development);
    watcher.watch(watchedPaths(baseDir, development), ({ path: file, isDirectory }) => {
      if (!isDirectory && isReason(file)) this.#gather(file);
    });
    // An edit of a file that has just been loaded must not be missed.
    await watcher.ready();
  }

  #gather(file: string): void {
    this.#files.add(file);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#reload(), SETTLE);
  }

  #reload(): void {
    const { baseDir, coreLogger, messenger } = this.#agent;
    const files = [...this.#files];
    this.#files = new Set();
    // `clutch dev` prints it in its own way.
    if (!isDevSession()) coreLogger.warn('[development] reload worker because %s changed', files.join(', '));
    const agent = files.some((file) => concernsAgent(baseDir, file));
    messenger.send('reload-worker', { agent, files }, 'master');
  }

  async beforeClose(): Promise<void> {
    clearTimeout(this.#timer);
  }
}
