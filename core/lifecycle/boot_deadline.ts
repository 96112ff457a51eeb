/** Notices a boot that never ends: a time limit passes, or nothing is left in the process that could end it. */
export class BootDeadline {
  readonly #onTooLate: (limit: number) => void;
  readonly #onIdle: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(handlers: { onTooLate: (limit: number) => void; onIdle: () => void }) {
    this.#onTooLate = handlers.onTooLate;
    this.#onIdle = () => {
      // Whoever catches the error may still recover, and set it back.
      process.exitCode ||= 1;
      handlers.onIdle();
    };
  }

  /** Watches for an event loop that runs empty. */
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
