import { createRequire } from 'node:module';
import type { Agent } from '../../framework/index.js';
import { GZIP_DELAY } from './lib/log_names.js';

const require = createRequire(import.meta.url);

/** Compresses logs that were rotated by day or hour, in the one process that all workers share. */
export default class LogrotatorAgentBoot {
  readonly #agent: Agent;
  readonly #timers = new Set<NodeJS.Timeout>();
  /** One log after the other. */
  #last: Promise<void> = Promise.resolve();

  constructor(agent: Agent) {
    this.#agent = agent;
  }

  configDidLoad(): void {
    if (!this.#agent.config.logrotator.gzip) return;
    this.#agent.messenger.on('logrotator-rotated', (files) => this.#compressSoon(() => files as string[]));
  }

  serverDidReady(): void {
    const { config } = this.#agent;
    if (config.logrotator.gzip) this.#compressSoon(() => load().uncompressedLogs(config.logger.dir));
  }

  async beforeClose(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#last;
  }

  #compressSoon(find: () => string[] | Promise<string[]>): void {
    const { gzipDelay = GZIP_DELAY } = this.#agent.config.logrotator;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#last = this.#last.then(() => this.#compress(find));
    }, gzipDelay).unref();
    this.#timers.add(timer);
  }

  async #compress(find: () => string[] | Promise<string[]>): Promise<void> {
    try {
      for (const file of await find()) await this.#compressOne(file);
    } catch (error) {
      this.#agent.coreLogger.error(error);
    }
  }

  async #compressOne(file: string): Promise<void> {
    const { coreLogger } = this.#agent;
    try {
      if (await load().compressLog(file)) coreLogger.info('[logrotator] compressed %s', file);
    } catch (error) {
      coreLogger.error(
        new Error(`[logrotator] ${file} is not compressed: ${(error as Error).message}`, { cause: error }),
      );
    }
  }
}

function load(): typeof import('./lazy/compress.js') {
  return require('./lazy/compress.js') as typeof import('./lazy/compress.js');
}
