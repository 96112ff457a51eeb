/** Detects a boot that never ends: a time limit passes, or the event loop is empty and nothing could end it. */
export class BootDeadline {
  readonly #onTooLate: (limit: number) => void;
  readonly #onIdle: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(handlers: { onTooLate: (limit: number) => void; onIdle: () => void }) {
    this.#onTooLate = handlers.onTooLate;
    this.#onIdle = () => {
      // A caller that catches the error and recovers can reset it.
      process.exitCode ||= 1;
      handlers.onIdle();
    };
  }

  /** Starts watching for an empty event loop. */
  start(): void {
    process.once('beforeExit', this.#onIdle);
  }

  /** @param limit milliseconds from now; 0 for no limit */
  setLimit(limit: number): void {
    clearTimeout(this.#timer);
    if (limit > 0) this.#timer = setTimeout(this.#onTooLate, limit, limit).unref();
  }

  stop(): void {
    process.off('beforeExit', this.#onIdle);
    clearTimeout(this.#timer);
  }
}
