import { toError } from '../../../errors.js';

interface Options {
  /** Whether the error is reported elsewhere. */
  isReported(reason: unknown): boolean;
  log(error: Error): void;
}

/** Logs what is rejected without a handler, as long as an app runs; Node would end the process. */
export class UnhandledRejections {
  readonly #logged = new WeakSet<Error>();
  readonly #listener: (reason: unknown) => void;

  constructor({ isReported, log }: Options) {
    this.#listener = (reason) => {
      if (isReported(reason)) return;
      const error = toError(reason);
      this.#logged.add(error);
      if (error.name === 'Error') error.name = 'unhandledRejectionError';
      log(error);
    };
    process.on('unhandledRejection', this.#listener);
  }

  /** Whether an error was logged here. */
  has(error: Error): boolean {
    return this.#logged.has(error);
  }

  /** From now on Node ends the process on one. */
  release(): void {
    process.off('unhandledRejection', this.#listener);
  }
}
