import { debuglog } from 'node:util';

const debug = debuglog('clutch:cluster');

/**
 * A state that changes along a table of transitions only.
 *
 * A wrong transition is a mistake in Clutch, so `become` throws before anything has changed. A Master that is ready logs
 * the error as an uncaught exception and goes on; what the broken event left undone, such as a slot without a child, is
 * found again by the watchdog. A Master that still boots ends with the error.
 */
export class StateMachine<S extends string> {
  readonly #owner: { toString(): string };
  readonly #transitions: Readonly<Record<S, readonly S[]>>;
  #state: S;

  /** @param owner its `toString` names it in errors and in the debug log */
  constructor(owner: { toString(): string }, transitions: Readonly<Record<S, readonly S[]>>, initial: S) {
    this.#owner = owner;
    this.#transitions = transitions;
    this.#state = initial;
    debug('%s is %s', owner, initial);
  }

  get state(): S {
    return this.#state;
  }

  /** @throws when the table has no transition from the current state to `next` */
  become(next: S): void {
    if (!this.#transitions[this.#state].includes(next)) {
      throw new Error(`${this.#owner} is ${this.#state} and cannot become ${next}`);
    }
    debug('%s: %s → %s', this.#owner, this.#state, next);
    this.#state = next;
  }
}
