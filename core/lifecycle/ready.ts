type ReadyState = 'pending' | 'ready' | 'failed';
type ReadyListener = (error?: Error) => void;

/** A state that settles once, as ready or failed. */
export class Ready {
  #state: ReadyState = 'pending';
  #error: Error | undefined;
  #listeners: ReadyListener[] = [];
  #isAwaited = false;

  get state(): ReadyState {
    return this.#state;
  }

  /** The error it failed with. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** Whether `promise()` was called, so that someone receives a failure. */
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
    // Node reports unhandled rejections at the end of this tick. They may be the cause of the failure, so they come first.
    if (error) setImmediate(notify);
    else process.nextTick(notify);
  }

  /** Calls `listener` once settled, immediately if it already is. */
  onSettled(listener: ReadyListener): void {
    if (this.#state === 'pending') this.#listeners.push(listener);
    else listener(this.#error);
  }

  promise(): Promise<void> {
    this.#isAwaited = true;
    return new Promise((resolve, reject) => this.onSettled((error) => (error ? reject(error) : resolve())));
  }
}
