import { EventEmitter } from 'node:events';
import { ClutchError, toError } from '../../errors.js';

type ReadyState = 'pending' | 'ready' | 'failed';
type ReadyListener = (error?: Error) => void;

/** A state that is reached once: ready or failed. */
export class Ready {
  #state: ReadyState = 'pending';
  #error: Error | undefined;
  #listeners: ReadyListener[] = [];

  get state(): ReadyState {
    return this.#state;
  }

  /** Settles once; later calls have no effect. */
  settle(error?: Error): void {
    if (this.#state !== 'pending') return;
    this.#state = error ? 'failed' : 'ready';
    this.#error = error;
    const listeners = this.#listeners;
    this.#listeners = [];
    if (listeners.length > 0) {
      process.nextTick(() => {
        for (const listener of listeners) listener(error);
      });
    }
  }

  /** Calls `listener` once settled, at once when it is already. */
  onSettled(listener: ReadyListener): void {
    if (this.#state === 'pending') this.#listeners.push(listener);
    else listener(this.#error);
  }

  promise(): Promise<void> {
    return new Promise((resolve, reject) => this.onSettled((error) => (error ? reject(error) : resolve())));
  }
}

export interface TaskOptions {
  /** Milliseconds after which `ready_timeout` is emitted; 0 for never. */
  timeout?: number;
  /** An error of a weak task does not fail the group. */
  isWeakDep?: boolean;
}

/**
 * Tasks that have to end before the next phase of the boot.
 * Emits `timeout` (name) for a slow task, `stat` ({ id, remain }) after each, and settles `ready`.
 */
export class TaskGroup extends EventEmitter {
  readonly ready = new Ready();
  readonly #timeout: number;
  readonly #pending = new Map<object, { name: string; timer: NodeJS.Timeout | undefined }>();
  #started = false;

  constructor(timeout: number) {
    super();
    this.#timeout = timeout;
  }

  /** Names of the tasks that have not ended. */
  get remaining(): string[] {
    return [...this.#pending.values()].map(({ name }) => name);
  }

  /** The group is complete from now on as soon as no task is left. */
  start(): void {
    this.#started = true;
    this.#check();
  }

  /** @returns the function that ends the task; only its first call counts */
  add(name: string, { timeout = this.#timeout, isWeakDep = false }: TaskOptions = {}): (error?: unknown) => void {
    const key = {};
    const timer = timeout > 0 ? setTimeout(() => this.emit('timeout', name, timeout), timeout) : undefined;
    this.#pending.set(key, { name, timer });
    return (error) => {
      if (!this.#pending.delete(key)) return;
      clearTimeout(timer);
      if (error !== undefined && error !== null && !isWeakDep) {
        this.ready.settle(toError(error));
        return;
      }
      this.emit('stat', { id: name, remain: this.remaining });
      this.#check();
    };
  }

  /** Runs `task` on the next tick as a task of the group. */
  run(name: string, task: () => unknown): void {
    const done = this.add(name);
    process.nextTick(async () => {
      try {
        await task();
        done();
      } catch (error) {
        done(error ?? new Error(`${name} threw ${String(error)}`));
      }
    });
  }

  /** Stops waiting for tasks that are too slow, e.g. because the application is closed. */
  stopTimers(): void {
    for (const { timer } of this.#pending.values()) clearTimeout(timer);
  }

  #check(): void {
    if (this.#started && this.#pending.size === 0) this.ready.settle();
  }
}

/**
 * @returns milliseconds of `EGG_READY_TIMEOUT_ENV`, 10000 without it
 * @throws {ClutchError} ERR_CLUTCH_OPTION when it does not begin with a number
 */
export function readyTimeout(): number {
  const text = process.env['EGG_READY_TIMEOUT_ENV'] ?? '10000';
  const timeout = Number.parseInt(text, 10);
  if (Number.isFinite(timeout)) return timeout;
  throw new ClutchError('ERR_CLUTCH_OPTION', `process.env.EGG_READY_TIMEOUT_ENV ${text} should be able to parseInt.`, {
    fix: 'Give milliseconds, or unset it.',
  });
}
