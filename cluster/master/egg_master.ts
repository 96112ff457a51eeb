import type { StartClusterOptions } from '../options/options.js';
import type { ClusterHandle } from './handle.js';
import { startCluster } from './start_cluster.js';

/** Starts a cluster as Egg's class does: `await new Master(options).ready()`. The same as `startCluster`. */
export class EggMaster {
  readonly #started: Promise<ClusterHandle>;

  constructor(options: StartClusterOptions = {}) {
    this.#started = startCluster(options);
    // Reported by `ready()`.
    this.#started.catch(() => undefined);
  }

  async ready(): Promise<void> {
    await this.#started;
  }

  async close(): Promise<void> {
    await (await this.#started).close();
  }
}
