import { EventEmitter } from 'node:events';
import { ClutchError, toError } from '../../errors.js';

export interface TaskOptions {
  /** Milliseconds after which `ready_timeout` is emitted; 0 for never. */
  timeout?: number;
  /** An error of a weak task does not fail the group. */
  isWeakDep?: boolean;
}

interface Task {
  name: string;
  /** Kind, name and file of the task, for errors. */
  description: string;
  timer: NodeJS.Timeout | undefined;
}

/** `collecting`: tasks run, but the group is not done without `start()`. `cancelled`: no further task runs. */
type GroupState = 'collecting' | 'started' | 'done' | 'failed' | 'cancelled';

/**
 * Tasks that have to end before the next phase of the boot.
 * Emits `done`, or `failed` with the first error; `late` with an error that follows either of them or `cancel()`;
 * `timeout` (name, milliseconds) for a slow task and `stat` ({ id, remain }) after each.
 */
export class TaskGroup extends EventEmitter {
  readonly #timeout: number;
  readonly #pending = new Set<Task>();
  #state: GroupState = 'collecting';

  /** @param timeout milliseconds after which a task counts as slow */
  constructor(timeout: number) {
    super();
    this.#timeout = timeout;
  }

  /** The tasks that have not ended. */
  get remaining(): { name: string; description: string }[] {
    return [...this.#pending];
  }

  /** From now on the group is done as soon as no task is left. */
  start(): void {
    if (this.#state !== 'collecting') return;
    this.#state = 'started';
    this.#check();
  }

  /** @returns the function that ends the task; only its first call counts */
  add(name: string, description: string, options: TaskOptions = {}): (error?: unknown) => void {
    const { timeout = this.#timeout, isWeakDep = false } = options;
    const slow = (): boolean => this.emit('timeout', name, timeout);
    const timer = timeout > 0 ? setTimeout(slow, timeout) : undefined;
    const task = { name, description, timer };
    this.#pending.add(task);
    return (error) => {
      if (!this.#pending.delete(task)) return;
      clearTimeout(timer);
      if (error !== undefined && error !== null && !isWeakDep) {
        this.#fail(toError(error));
        return;
      }
      if (this.#state === 'cancelled') return;
      this.emit('stat', { id: name, remain: [...this.#pending].map((pending) => pending.name) });
      this.#check();
    };
  }

  /** Makes work that is under way already a task of the group. */
  track(name: string, description: string, work: PromiseLike<unknown>): void {
    const done = this.add(name, description);
    work.then(
      () => done(),
      (error: unknown) => done(error ?? new Error(`${name} threw ${String(error)}`)),
    );
  }

  /** Runs `task` on the next tick as a task of the group. */
  run(name: string, description: string, task: () => unknown): void {
    const done = this.add(name, description);
    process.nextTick(async () => {
      if (this.#state === 'cancelled') {
        done();
        return;
      }
      try {
        await task();
        done();
      } catch (error) {
        done(error ?? new Error(`${name} threw ${String(error)}`));
      }
    });
  }

  /** Starts no more tasks, e.g. because the application closes; running tasks continue. */
  cancel(): void {
    this.#state = 'cancelled';
    for (const { timer } of this.#pending) clearTimeout(timer);
  }

  #fail(error: Error): void {
    const isFirst = this.#state === 'collecting' || this.#state === 'started';
    if (isFirst) this.#state = 'failed';
    this.emit(isFirst ? 'failed' : 'late', error);
  }

  #check(): void {
    if (this.#state !== 'started' || this.#pending.size > 0) return;
    this.#state = 'done';
    process.nextTick(() => this.emit('done'));
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
  throw new ClutchError('ERR_CLUTCH_OPTION', `EGG_READY_TIMEOUT_ENV is "${text}", not a number`, {
    where: 'environment variable',
    fix: 'Give milliseconds, or unset it.',
  });
}
