/** Milliseconds between two looks at the state. */
const TICK = 50;
/** Milliseconds that a busy process records at a time, and how long it may wait for the requests that have begun meanwhile. */
const WINDOW = 50;
const LONGEST_FINISH = 2000;
/** Share of the time in which a busy process records. Recording everything may cost it as much as the requests themselves. */
const SHARE = 0.02;
/** Utilisation of the event loop from which on a process is busy. */
const BUSY = 0.5;

/** Something that costs time while it is on. */
export interface Work {
  /** Whether it has nothing more to do once `finish()` was called. */
  isIdle(): boolean;
  /** Begins nothing new. */
  finish(): void;
  end(): void;
}

/** `on` → `finishing` → `paused` → `on`; a process that has time stays `on`. */
type State = 'on' | 'finishing' | 'paused';

/** Does a kind of work all the time in a process that has time for it, and for a small share of the time in one that is busy. */
export class DutyCycle {
  readonly #begin: () => Work;
  readonly #timer: NodeJS.Timeout;
  #work: Work;
  #state: State = 'on';
  /** When the work was begun, and when it changed its state last: milliseconds. */
  #begun = performance.now();
  #since = this.#begun;
  #pause = 0;
  #utilised = performance.eventLoopUtilization();

  constructor(begin: () => Work) {
    this.#begin = begin;
    this.#work = begin();
    this.#timer = setInterval(() => this.#tick(), TICK).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    if (this.#state !== 'paused') this.#work.end();
  }

  #tick(): void {
    const now = performance.now();
    const elapsed = now - this.#since;
    const before = this.#utilised;
    this.#utilised = performance.eventLoopUtilization();
    const isBusy = performance.eventLoopUtilization(this.#utilised, before).utilization > BUSY;
    if (this.#state === 'on') {
      if (!isBusy || elapsed < WINDOW) return;
      this.#work.finish();
      this.#become('finishing', now);
    } else if (this.#state === 'finishing') {
      if (!this.#work.isIdle() && elapsed < LONGEST_FINISH) return;
      this.#work.end();
      this.#pause = (now - this.#begun) * (1 / SHARE - 1);
      this.#become('paused', now);
    } else if (elapsed > this.#pause || !isBusy) {
      this.#work = this.#begin();
      this.#begun = now;
      this.#become('on', now);
    }
  }

  #become(state: State, now: number): void {
    this.#state = state;
    this.#since = now;
  }
}
