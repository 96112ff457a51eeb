import type { ClusterStatus } from '../control/status.js';
import type { ReloadOptions } from '../supervise/rolling_restart.js';
import type { MasterMessenger } from './master_messenger.js';

/** What `startCluster` resolves with. */
export interface ClusterHandle {
  /** For example `http://127.0.0.1:7001`, or the path of a unix socket. */
  readonly address: string;
  /** Where `/livez`, `/readyz` and `/metrics` are served; undefined without option `admin`. */
  readonly adminAddress: string | undefined;
  /** Pids of all processes that are ready; ids of threads with `startMode: 'worker_threads'`. */
  readonly pids: { master: number; agent: number | undefined; workers: number[] };
  /** Sends to the other processes, and emits what they send to the Master. */
  readonly messenger: MasterMessenger;
  /** @returns the state of each process, and of each slot in backoff */
  status(): ClusterStatus;
  /**
   * Replaces the Agent, unless `agent` is false, and all app workers without an interruption; rejects when the new
   * code does not boot. Calls during a reload share one more reload after it.
   */
  reload(options?: ReloadOptions): Promise<void>;
  /**
   * Changes the number of app workers.
   *
   * @param asker who asks for it, for the records of deaths
   * @throws {ClutchError} ERR_CLUTCH_OPTION when it is not between 1 and 1024
   */
  scale(workers: number, asker?: string): Promise<void>;
  /**
   * Drains and ends the app workers, then the Agent.
   *
   * @param asker who asks for it, for the records of deaths
   */
  close(asker?: string): Promise<void>;
}
