/** Resolves after `delay` milliseconds, with `signal`, or when `wake()` of the same queue is called. */
export class Waiters {
  readonly #waiting = new Map<string, Set<() => void>>();

  wait(queue: string, delay: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const set = this.#waiting.get(queue) ?? new Set();
      this.#waiting.set(queue, set);
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        set.delete(end);
        resolve();
      };
      const timer = setTimeout(end, delay);
      signal.addEventListener('abort', end);
      set.add(end);
    });
  }

  wake(queue: string): void {
    for (const end of this.#waiting.get(queue) ?? []) end();
  }
}
