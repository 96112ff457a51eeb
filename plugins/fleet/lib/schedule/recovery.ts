/** A schedule whose runs may have to begin again. */
interface Recoverable {
  recover(): Promise<void>;
}

interface RecoveryOptions {
  /** Milliseconds between two looks. */
  interval: number;
  /** Whether this machine is the one that looks. */
  isLeader(): boolean;
  onError(error: Error): void;
}

/** Looks for runs of schedules whose machine is gone; one machine of the fleet does. */
export class Recovery {
  readonly #options: RecoveryOptions;
  readonly #schedules = new Set<Recoverable>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  add(schedule: Recoverable): void {
    this.#schedules.add(schedule);
    this.#wait();
  }

  remove(schedule: Recoverable): void {
    this.#schedules.delete(schedule);
    if (this.#schedules.size === 0) clearTimeout(this.#timer);
  }

  #wait(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), this.#options.interval);
  }

  async #look(): Promise<void> {
    if (this.#options.isLeader()) {
      for (const schedule of this.#schedules) {
        await schedule.recover().catch((error: Error) => this.#options.onError(error));
      }
    }
    if (this.#schedules.size > 0) this.#wait();
  }
}
