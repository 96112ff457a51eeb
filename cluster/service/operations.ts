import { ClutchError } from '../../errors.js';
import { channels, trace } from '../../tracing/channels.js';
import { type ChangeableValues, type OptionChange, parseChanges } from '../options/changeable.js';
import { type ClusterOptions, parseWorkers } from '../options/options.js';
import type { Ending } from '../supervise/managed_child.js';
import type { ReloadOptions, RollingRestart } from '../supervise/rolling_restart.js';
import { AutoSize } from '../supervise/sizing.js';
import type { Supervisor } from '../supervise/supervisor.js';
import { type EnvironmentChange, EnvironmentFile } from './environment_file.js';
import type { ServiceManager } from './service_manager.js';

interface OperationsParts {
  log: Pick<Console, 'info' | 'warn'>;
  agents: Supervisor;
  workers: Supervisor;
  sizing: ClusterOptions['sizing'];
  restarts: RollingRestart;
  /** Options that change while the cluster runs, in place. */
  values: ChangeableValues;
  /** Whether the processes are debugged. */
  isInspected: boolean;
  serviceManager: ServiceManager;
  /** Called when the number of app workers has changed. */
  onScaled(): void;
}

export interface SetOptions {
  /** Whether the changes are only checked. */
  dryRun: boolean;
  /** Who asks for them, for the records of deaths. */
  asker: string;
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
   * Changes options of the cluster: all of them or, when one cannot be changed, none.
   *
   * @param given names and values, as one would give them to `clutch start`
   * @param how `dryRun` only checks
   * @returns what changes
   * @throws {ClutchError} ERR_CLUTCH_OPTION when an option cannot be changed, or a value is wrong; the error of a worker that does
   * not start
   */
  async set(given: readonly [name: string, value: string][], { dryRun, asker }: SetOptions): Promise<OptionChange[]> {
    const { values, workers, isInspected, log } = this.#parts;
    values.workers = workers.slots.length;
    const changes = parseChanges(given, values, { isInspected });
    if (dryRun) return changes;
    const scaled = changes.find(({ name }) => name === 'workers');
    if (scaled) await this.scale(scaled.to, asker);
    for (const { name, from, to, effect } of changes) {
      values[name] = to;
      log.info(`option ${name} changed from ${from} to ${to}, ${effect}`);
    }
    return changes;
  }
}
