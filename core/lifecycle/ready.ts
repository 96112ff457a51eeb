type ReadyState = 'pending' | 'ready' | 'failed';
type ReadyListener = (error?: Error) => void;

/** A state that settles once, as ready or failed. */
export class Ready {
  #state: ReadyState = 'pending';
  #error: Error | undefined;
  #listeners: ReadyListener[] = [];
  /** Those of the app, called after the others. */
  #callbacks: ReadyListener[] = [];
  #isAwaited = false;
  readonly #onFault: (thrown: unknown) => void;

  /** @param onFault gets what a callback of the app throws after a failed boot */
  constructor(onFault: (thrown: unknown) => void) {
    this.#onFault = onFault;
  }

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
    const callbacks = this.#callbacks;
    this.#listeners = [];
    this.#callbacks = [];
    if (listeners.length + callbacks.length === 0) return;
    const notify = (): void => {
      for (const listener of listeners) listener(error);
      for (const callback of callbacks) this.#call(callback, error);
    };
    // Node reports unhandled rejections at the end of this tick. They may be the cause of the failure, so they come first.
    if (error) setImmediate(notify);
    else process.nextTick(notify);
  }

  /** After a failed boot, a callback that throws does not keep the others from learning the cause. */
  #call(callback: ReadyListener, error: Error | undefined): void {
    if (error === undefined) {
      callback();
      return;
    }
    try {
      callback(error);
    } catch (thrown) {
      this.#onFault(thrown);
    }
  }

  /** Calls `listener` once settled, immediately if it already is. */
  onSettled(listener: ReadyListener): void {
    if (this.#state === 'pending') this.#listeners.push(listener);
    else listener(this.#error);
  }

  /** As `onSettled`, for callbacks of the app. */
  whenSettled(callback: ReadyListener): void {
    if (this.#state === 'pending') this.#callbacks.push(callback);
    else this.#call(callback, this.#error);
  }

  promise(): Promise<void> {
    this.#isAwaited = true;
    return new Promise((resolve, reject) => this.whenSettled((error) => (error ? reject(error) : resolve())));
  }

  /** Fails without calling the callbacks of the app; its promises stay pending. */
  abandon(error: Error): void {
    this.#callbacks = [];
    this.settle(error);
  }
}
