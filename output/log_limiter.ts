interface LogLimiterOptions {
  /** Lines that are written as they are, in each period. */
  lines?: number;
  /** Milliseconds. */
  period?: number;
}

/**
 * Keeps what anyone can cause from flooding the log: of the messages of a period the first few are written, the others are
 * counted, and one line at its end says how many there were.
 */
export class LogLimiter {
  readonly #write: (message: string) => void;
  readonly #lines: number;
  readonly #period: number;
  #written = 0;
  #suppressed = 0;
  #last = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(write: (message: string) => void, { lines = 3, period = 60_000 }: LogLimiterOptions = {}) {
    this.#write = write;
    this.#lines = lines;
    this.#period = period;
  }

  log(message: string): void {
    this.#timer ??= setTimeout(() => this.#endPeriod(), this.#period).unref();
    if (this.#written < this.#lines) {
      this.#written += 1;
      this.#write(message);
    } else {
      this.#suppressed += 1;
      this.#last = message;
    }
  }

  #endPeriod(): void {
    this.#timer = undefined;
    this.#written = 0;
    const suppressed = this.#suppressed;
    this.#suppressed = 0;
    if (suppressed === 0) return;
    this.#write(`${suppressed} more like this in ${this.#period / 1000} s, the last one: ${this.#last}`);
  }
}
