import { toError } from '../../errors.js';
import { toAsyncFunction } from '../../loader/index.js';

/** What `close()` runs: functions in reverse order of registration, one after the other. */
export class CloseHooks {
  readonly #hooks = new Set<() => unknown>();

  /** Adding a function twice has no effect. One that is added while hooks run is the next to run. */
  add(hook: () => unknown): void {
    this.#hooks.add(hook);
  }

  /**
   * Runs all of them, also when some throw; rejects with the first error then.
   *
   * @param report called with each error, at once: the hook that closes the logs may be the next
   */
  async run(report: (error: Error) => void): Promise<void> {
    const errors: Error[] = [];
    for (let hook = this.#last(); hook; hook = this.#last()) {
      this.#hooks.delete(hook);
      try {
        await toAsyncFunction(hook)();
      } catch (thrown) {
        const error = toError(thrown);
        errors.push(error);
        report(error);
      }
    }
    if (errors[0]) throw errors[0];
  }

  #last(): (() => unknown) | undefined {
    return [...this.#hooks].at(-1);
  }
}
