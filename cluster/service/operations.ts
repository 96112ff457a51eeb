import { ClutchError } from '../../errors.js';
import { channels, trace } from '../../tracing/channels.js';
import { type ClusterOptions, parseChange, parseWorkers } from '../options/options.js';
import type { Ending } from '../supervise/managed_child.js';
import type { ReloadOptions, RollingRestart } from '../supervise/rolling_restart.js';
import { AutoSize } from '../supervise/sizing.js';
import type { Supervisor } from '../supervise/supervisor.js';
import type { Watchdog } from '../supervise/watchdog.js';
import { type EnvironmentChange, EnvironmentFile } from './environment_file.js';
import type { ServiceManager } from './service_manager.js';

interface OperationsParts {
  log: Pick<Console, 'info' | 'warn'>;
  agents: Supervisor;
  workers: Supervisor;
  sizing: ClusterOptions['sizing'];
  restarts: RollingRestart;
  watchdog: Watchdog;
  serviceManager: ServiceManager;
  /** Called when the number of app workers has changed. */
  onScaled(): void;
}

/** What can be changed while the cluster runs: its code, its variables, its size, its limits. */
export class Operations {
  readonly #parts: OperationsParts;
  readonly #environment = new EnvironmentFile();
  readonly #autoSize: AutoSize | undefined;

  constructor(parts: OperationsParts) {
    this.#parts = parts;
    const { sizing: range, workers, log } = parts;
    if (range) this.#autoSize = new AutoSize({ range, workers, log, scale: (...wanted) => this.#scale(...wanted) });
  }

  /** To be called at each heartbeat. */
  tick(): void {
    this.#autoSize?.tick();
  }

  reload(options?: ReloadOptions): Promise<void> {
    if (!channels.reload.hasSubscribers) return this.#reload(options);
    const { agent = true, asker } = options ?? {};
    return trace('reload', { agent, asker }, () => this.#reload(options));
  }

  async #reload(options?: ReloadOptions): Promise<void> {
    const { restarts, serviceManager } = this.#parts;
    const undo = options?.envFile === undefined ? undefined : this.#environment.apply(options.envFile);
    serviceManager.reloading();
    try {
      await restarts.reload(options);
    } catch (error) {
      undo?.();
      throw error;
    } finally {
      serviceManager.ready();
    }
  }

  /**
   * Replaces one process; the new one is ready before the old one drains.
   *
   * @throws the error of the new one when it does not boot; the old one stays then
   */
  async restart(pid: number, asker?: string): Promise<void> {
    const { restarts, agents, workers } = this.#parts;
    for (const supervisor of [agents, workers]) {
      const child = supervisor.find(pid);
      if (child) return restarts.restart(supervisor, child, asker);
    }
    throw new ClutchError('ERR_CLUTCH_CONTROL', `no Agent or app worker has pid ${pid}`, {
      fix: 'It may have ended; `clutch status` shows those that run.',
    });
  }

  /** @returns which variables `reload` with this file would change */
  environmentChanges(file: string): EnvironmentChange[] {
    return this.#environment.changes(file);
  }

  async scale(workers: number, asker?: string): Promise<void> {
    const count = parseWorkers(workers);
    this.#autoSize?.stop();
    await this.#scale(count, { reason: 'scale', text: `scaled to ${count} app workers`, asker });
  }

  async #scale(count: number, ending: Ending): Promise<void> {
    await this.#parts.restarts.scale(count, ending);
    this.#parts.onScaled();
  }

  /**
   * Changes an option.
   *
   * @throws {ClutchError} ERR_CLUTCH_OPTION when it cannot be changed, or the value is wrong
   */
  set(name: string, given: string): { name: string; from: number; to: number } {
    const { name: option, value } = parseChange(name, given);
    const from = this.#parts.watchdog.setLimit(option, value);
    this.#parts.log.info(`option ${option} changed from ${from} to ${value}`);
    return { name: option, from, to: value };
  }
}
