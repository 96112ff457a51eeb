import type { ManagedChild } from './managed_child.js';
import type { Supervisor } from './supervisor.js';

export interface ReloadOptions {
  /** Whether the Agent is replaced too; default true. */
  agent?: boolean;
}

interface Reload {
  agent: boolean;
  done: Promise<void>;
}

/** Replaces processes while the service goes on: one operation at a time, one process at a time. */
export class RollingRestart {
  readonly #agents: Supervisor;
  readonly #workers: Supervisor;
  readonly #log: Pick<Console, 'info' | 'error'>;
  #last: Promise<unknown> = Promise.resolve();
  #queued: Reload | undefined;

  constructor(agents: Supervisor, workers: Supervisor, log: Pick<Console, 'info' | 'error'>) {
    this.#agents = agents;
    this.#workers = workers;
    this.#log = log;
  }

  #enqueue<T>(operation: () => Promise<T>): Promise<T> {
    const done = this.#last.catch(() => undefined).then(operation);
    this.#last = done;
    return done;
  }

  /**
   * Replaces the Agent, unless `agent` is false, then every app worker. A call while another one waits joins it.
   *
   * @throws the error of the new code when it does not boot; what has not been replaced stays
   */
  reload({ agent = true }: ReloadOptions = {}): Promise<void> {
    if (this.#queued) {
      this.#queued.agent ||= agent;
      return this.#queued.done;
    }
    const next: Reload = { agent, done: Promise.resolve() };
    this.#queued = next;
    next.done = this.#enqueue(() => {
      this.#queued = undefined;
      return this.#reload(next.agent);
    });
    return next.done;
  }

  async #reload(agent: boolean): Promise<void> {
    const begin = Date.now();
    try {
      if (agent) for (const slot of this.#agents.slots) await this.#agents.replace(slot);
      for (const slot of [...this.#workers.slots]) await this.#workers.replace(slot);
      this.#log.info(`reloaded (${Date.now() - begin} ms)`);
    } catch (error) {
      this.#log.error(`reload failed, the old processes stay: ${(error as Error).message}`);
      throw error;
    }
  }

  /** Replaces one worker; when the new one does not boot the old one stays, and the outcome is logged. */
  recycle(info: ManagedChild, reason: string): Promise<void> {
    return this.#enqueue(async () => {
      if (info.state !== 'ready') return;
      this.#log.info(`app worker ${info.id} is being replaced: ${reason}`);
      info.slot.lastExit = reason;
      try {
        await this.#workers.replace(info.slot);
        info.slot.restarts += 1;
      } catch (error) {
        this.#log.error(`app worker ${info.id} stays, its replacement failed: ${(error as Error).message}`);
      }
    });
  }

  /**
   * Changes the number of workers.
   *
   * @throws the error of a new worker that does not boot; the number stays as far as it had got
   */
  scale(count: number): Promise<void> {
    return this.#enqueue(async () => {
      this.#log.info(`scaling from ${this.#workers.slots.length} to ${count} app workers`);
      while (this.#workers.slots.length > count) this.#workers.removeSlot();
      while (this.#workers.slots.length < count) {
        const slot = this.#workers.addSlot();
        try {
          await this.#workers.replace(slot);
        } catch (error) {
          this.#workers.removeSlot();
          throw error;
        }
      }
    });
  }
}
