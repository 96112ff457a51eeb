import { toAsyncFunction } from '../../loader/index.js';

/** What `close()` runs: functions in reverse order of registration, one after the other. */
export class CloseHooks {
  readonly #hooks = new Set<() => unknown>();

  /** Adding a function twice has no effect. One that is added while hooks run is the next to run. */
  add(hook: () => unknown): void {
    this.#hooks.add(hook);
  }

  /** Rejects if a hook throws; the hooks registered before that one do not run then. */
  async run(): Promise<void> {
    for (let hook = this.#last(); hook; hook = this.#last()) {
      this.#hooks.delete(hook);
      await toAsyncFunction(hook)();
    }
  }

  #last(): (() => unknown) | undefined {
    return [...this.#hooks].at(-1);
  }
}
