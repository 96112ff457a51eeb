import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Agent } from '../../framework/index.js';
import type { MultipartConfig } from './lib/types.js';

const require = createRequire(import.meta.url);

/** Removes the temporary files of processes that have died: at the start, and when an app worker leaves. */
export default class MultipartAgent {
  readonly #agent: Agent;
  #workers: string[] = [];

  constructor(agent: Agent) {
    this.#agent = agent;
  }

  async serverDidReady(): Promise<void> {
    const { messenger } = this.#agent;
    this.#workers = messenger.opids;
    messenger.on('egg-pids', () => {
      const hasLeft = this.#workers.some((pid) => !messenger.opids.includes(pid));
      this.#workers = messenger.opids;
      if (hasLeft) return this.#sweep();
    });
    await this.#sweep();
  }

  async #sweep(): Promise<void> {
    const { tmpdir } = this.#agent.config.multipart as MultipartConfig;
    if (!existsSync(tmpdir)) return;
    const { sweepOrphans } = require('./lazy/saved_files.js') as typeof import('./lazy/saved_files.js');
    const removed = await sweepOrphans(tmpdir);
    if (removed > 0) this.#agent.coreLogger.info('[multipart] removed %d orphaned files from %s', removed, tmpdir);
  }
}
