type Level = 'info' | 'warn';
type Log = Record<Level, (...args: unknown[]) => void>;

/** Takes the lines of the loader, which works before config says where logs go, and holds them until `release`. */
export class HeldLog implements Log {
  readonly #held: [level: Level, args: unknown[]][] = [];
  #to: Log | undefined;

  info(...args: unknown[]): void {
    this.#write('info', args);
  }

  warn(...args: unknown[]): void {
    this.#write('warn', args);
  }

  #write(level: Level, [message, ...args]: unknown[]): void {
    if (this.#to) this.#to[level](`[clutch] ${String(message)}`, ...args);
    else this.#held.push([level, [message, ...args]]);
  }

  /** From now on lines go to `log`, those that were held first. */
  release(log: Log): void {
    this.#to = log;
    for (const [level, args] of this.#held.splice(0)) this.#write(level, args);
  }
}
