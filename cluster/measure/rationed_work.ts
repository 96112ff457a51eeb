/** Milliseconds between two looks at what was done. */
const TICK = 50;
/** Units that may be done in a second on average. */
const RATION = 200;
/**
 * Units that may be done at once, after a pause of so many units: V8 optimises code that the work has changed anew each time
 * that it is turned on or off, so that long pauses cost less than frequent ones.
 */
const BURST = 6000;
/** Milliseconds that the work may take to finish what it has begun. */
const LONGEST_FINISH = 500;

/** Something that costs time while it is on, for each unit of it. */
export interface Work {
  /** Units done so far. */
  readonly units: number;
  /** Whether nothing of what it has begun is open. */
  isIdle(): boolean;
  /** Begins nothing new; what is done while it finishes counts as well. */
  finish(): void;
  end(): void;
}

/** `on` → `finishing` → `paused` → `on`. */
type State = 'on' | 'finishing' | 'paused';

/** Does a kind of work all the time while there is little of it, and in between pauses when there is much. */
export class RationedWork {
  readonly #begin: () => Work;
  readonly #isCheap: () => boolean;
  readonly #timer: NodeJS.Timeout;
  #work: Work | undefined;
  #state: State = 'paused';
  /** When it has got into its state, and when the ration was counted last: milliseconds. */
  #since = performance.now();
  #counted = this.#since;
  #units = 0;
  /** Units that may be done; below zero after too many. */
  #left = BURST;

  /** @param isCheap called at each look: whether the work costs little beside what the process does otherwise */
  constructor(begin: () => Work, isCheap: () => boolean) {
    this.#begin = begin;
    this.#isCheap = isCheap;
    this.#timer = setInterval(() => this.#tick(), TICK).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#work?.end();
  }

  #tick(): void {
    const now = performance.now();
    this.#count(now);
    const isCheap = this.#isCheap();
    if (!this.#work) {
      if (!isCheap || this.#left < BURST) return;
      this.#work = this.#begin();
      this.#units = 0;
      this.#become('on', now);
    } else if (this.#state === 'on') {
      if (this.#left > 0) return;
      this.#work.finish();
      this.#become('finishing', now);
    } else if (this.#work.isIdle() || now - this.#since > LONGEST_FINISH) {
      this.#work.end();
      this.#work = undefined;
      this.#become('paused', now);
    }
  }

  #count(now: number): void {
    const { units = 0 } = this.#work ?? {};
    const earned = ((now - this.#counted) / 1000) * RATION;
    this.#left = Math.min(BURST, this.#left + earned - (this.#work ? units - this.#units : 0));
    this.#units = units;
    this.#counted = now;
  }

  #become(state: State, now: number): void {
    this.#state = state;
    this.#since = now;
  }
}
