type ReadyState = 'pending' | 'ready' | 'failed';
type ReadyListener = (error?: Error) => void;

/** A state that is reached once: ready or failed. */
export class Ready {
  #state: ReadyState = 'pending';
  #error: Error | undefined;
  #listeners: ReadyListener[] = [];
  #isAwaited = false;

  get state(): ReadyState {
    return this.#state;
  }

  /** What it failed with. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** Whether someone holds a promise of it, and so gets the error that it may fail with. */
  get isAwaited(): boolean {
    return this.#isAwaited;
  }

  /** Settles once; later calls have no effect. */
  settle(error?: Error): void {
    if (this.#state !== 'pending') return;
    this.#state = error ? 'failed' : 'ready';
    this.#error = error;
    const listeners = this.#listeners;
    this.#listeners = [];
    if (listeners.length === 0) return;
    const notify = (): void => {
      for (const listener of listeners) listener(error);
    };
    // Node reports a promise that was left rejected at the end of this tick: the cause of a failure is reported before it.
    if (error) setImmediate(notify);
    else process.nextTick(notify);
  }

  /** Calls `listener` once settled, at once when it is already. */
  onSettled(listener: ReadyListener): void {
    if (this.#state === 'pending') this.#listeners.push(listener);
    else listener(this.#error);
  }

  promise(): Promise<void> {
    this.#isAwaited = true;
    return new Promise((resolve, reject) => this.onSettled((error) => (error ? reject(error) : resolve())));
  }
}
