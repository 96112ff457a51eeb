import { debuglog } from 'node:util';
import { toError } from '../../errors.js';
import type { Ending, ManagedChild } from './managed_child.js';
import type { Supervisor } from './supervisor.js';

const debug = debuglog('clutch:cluster');

export interface ReloadOptions {
  /** Whether the Agent is replaced too; default true. */
  agent?: boolean;
  /** A file of variables (`NAME=value`) for the environment of all processes that are started from now on. */
  envFile?: string | undefined;
  /** Who asks for it, for the records of deaths. */
  asker?: string | undefined;
}

/** What the last reload did. */
export interface LastReload {
  /** When it began, as an ISO 8601 time. */
  at: string;
  asker?: string | undefined;
  /** Milliseconds; absent while it runs. */
  took?: number;
  outcome: 'running' | 'done' | 'failed';
  /** Why it failed. */
  reason?: string;
}

interface Reload {
  agent: boolean;
  asker: string | undefined;
  done: Promise<void>;
}

/** Replaces processes while the service goes on: one operation at a time, one process at a time. */
export class RollingRestart {
  readonly #agents: Supervisor;
  readonly #workers: Supervisor;
  readonly #log: Pick<Console, 'info' | 'error'>;
  #last: Promise<unknown> = Promise.resolve();
  #queued: Reload | undefined;
  /** The last reload that has begun. */
  last: LastReload | undefined;
  /** How many have ended, by outcome. */
  readonly reloads = { done: 0, failed: 0 };

  constructor(agents: Supervisor, workers: Supervisor, log: Pick<Console, 'info' | 'error'>) {
    this.#agents = agents;
    this.#workers = workers;
    this.#log = log;
  }

  #enqueue<T>(name: string, operation: () => Promise<T>): Promise<T> {
    debug('%s is queued', name);
    const done = this.#last
      .catch(() => undefined)
      .then(() => {
        debug('%s begins', name);
        return operation();
      });
    this.#last = done;
    return done;
  }

  /**
   * Replaces the Agent, unless `agent` is false, then every app worker. A call joins a reload that has not begun.
   *
   * @throws the error of the new code when it does not boot; what has not been replaced stays
   */
  reload({ agent = true, asker }: ReloadOptions = {}): Promise<void> {
    if (this.#queued) {
      this.#queued.agent ||= agent;
      return this.#queued.done;
    }
    const next: Reload = { agent, asker, done: Promise.resolve() };
    this.#queued = next;
    next.done = this.#enqueue('reload', () => {
      this.#queued = undefined;
      return this.#reload(next);
    });
    return next.done;
  }

  async #reload({ agent, asker }: Reload): Promise<void> {
    const begin = Date.now();
    const at = new Date(begin).toISOString();
    this.last = { at, asker, outcome: 'running' };
    const ending: Ending = { reason: 'reload', text: 'it was replaced by a reload', asker };
    try {
      for (const supervisor of agent ? [this.#agents, this.#workers] : [this.#workers]) {
        for (const slot of [...supervisor.slots]) {
          await supervisor.replace(slot, ending);
          slot.lastExit = undefined;
        }
      }
      const took = Date.now() - begin;
      this.last = { at, asker, took, outcome: 'done' };
      this.reloads.done += 1;
      this.#log.info(`reloaded (${took} ms)`);
    } catch (error) {
      this.reloads.failed += 1;
      this.last = { at, asker, took: Date.now() - begin, outcome: 'failed', reason: toError(error).message };
      this.#log.error(`reload failed, the old processes stay: ${toError(error).message}`);
      throw error;
    }
  }

  /** Replaces one worker. If the new one does not boot, the old one stays; the outcome is logged. */
  recycle(worker: ManagedChild, ending: Ending): Promise<void> {
    return this.#enqueue(`recycling of ${worker}`, async () => {
      if (worker.state !== 'ready') return;
      this.#log.info(`app worker ${worker.id} is being replaced: ${ending.text}`);
      worker.slot.lastExit = ending.text;
      try {
        await this.#workers.replace(worker.slot, ending);
        worker.slot.restarts += 1;
      } catch (error) {
        this.#log.error(`app worker ${worker.id} stays, its replacement failed: ${toError(error).message}`);
      }
    });
  }

  /**
   * Replaces one process that somebody has chosen.
   *
   * @throws the error of the new one when it does not boot; the old one stays then
   */
  restart(supervisor: Supervisor, child: ManagedChild, asker: string | undefined): Promise<void> {
    return this.#enqueue(`restart of ${child}`, async () => {
      if (child.state !== 'ready') throw new Error(`${child.kind} ${child.id} is ${child.state}`);
      const { slot } = child;
      this.#log.info(`${child.kind} ${child.id} is being replaced on request`);
      await supervisor.replace(slot, { reason: 'restart', text: 'it was replaced on request', asker });
      slot.restarts += 1;
      slot.lastExit = undefined;
    });
  }

  /**
   * Changes the number of workers.
   *
   * @param ending why those leave that are too many
   * @throws the error of a new worker that does not boot; the workers that were added before it stay
   */
  scale(count: number, ending: Ending): Promise<void> {
    return this.#enqueue('scaling', async () => {
      this.#log.info(`scaling from ${this.#workers.slots.length} to ${count} app workers`);
      while (this.#workers.slots.length > count) this.#workers.removeSlot(ending);
      while (this.#workers.slots.length < count) {
        const slot = this.#workers.addSlot();
        try {
          await this.#workers.replace(slot, ending);
        } catch (error) {
          this.#workers.removeSlot(ending);
          throw error;
        }
      }
    });
  }
}
