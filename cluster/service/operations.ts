import { ClutchError } from '../../errors.js';
import { channels, trace } from '../../tracing/channels.js';
import { type ChangeableValues, type OptionChange, parseChanges, parseWorkerBounds } from '../options/changeable.js';
import { optionError, type WorkerRange } from '../options/option_kinds.js';
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
  /** Whether the app workers are threads. */
  isThread: boolean;
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
  /** While the number of app workers follows the need: between which numbers, and what decides it. */
  #following: { range: WorkerRange; autoSize: AutoSize } | undefined;

  constructor(parts: OperationsParts) {
    this.#parts = parts;
    if (parts.sizing) this.#follow(parts.sizing);
  }

  #follow(range: WorkerRange): void {
    const { workers, log } = this.#parts;
    const scale = (count: number, ending: Ending): Promise<void> => this.#scale(count, ending);
    this.#following = { range, autoSize: new AutoSize({ range, workers, log, scale }) };
  }

  /** To be called at each heartbeat. */
  tick(): void {
    this.#following?.autoSize.tick();
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
    this.#following?.autoSize.stop();
    this.#following = undefined;
    await this.#scale(count, { reason: 'scale', text: `scaled to ${count} app workers`, asker });
  }

  /** Has the number of app workers follow the need from now on, and brings it between the bounds. */
  async #bound(range: WorkerRange, asker: string): Promise<void> {
    const { workers } = this.#parts;
    const count = Math.min(range.max, Math.max(range.min, workers.slots.length));
    // While workers start or leave, nothing else decides how many there are.
    this.#following = undefined;
    if (count !== workers.slots.length) {
      await this.#scale(count, { reason: 'scale', text: `scaled to ${range.min}-${range.max} app workers`, asker });
    }
    this.#follow(range);
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
    const { values, workers, isThread, isInspected, log } = this.#parts;
    values.workers = workers.slots.length;
    const changes = parseChanges(given, values, { isInspected, bounds: this.#following?.range });
    const scaled = changes.find(({ name }) => name === 'workers');
    const range = scaled && parseWorkerBounds(scaled.to);
    if (isThread && range && range.min < range.max) {
      throw optionError('workers', range, 'The number of threads does not follow the need; give one number.');
    }
    if (dryRun) return changes;
    if (range) await (range.min < range.max ? this.#bound(range, asker) : this.scale(range.min, asker));
    for (const { name, from, to, effect } of changes) {
      values[name] = typeof to === 'number' ? to : workers.slots.length;
      log.info(`option ${name} changed from ${from} to ${to}, ${effect}`);
    }
    return changes;
  }
}
