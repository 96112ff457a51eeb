import { AsyncResource } from 'node:async_hooks';
import { toError } from '../../errors.js';

/** An answer that is ready to be written. */
export interface ReadyAnswer {
  /** Writes it, unless that has been done. */
  sendNow(): void;
  /** Gives up on it, and on its connection. */
  destroy(error: Error): unknown;
}

interface Entry {
  answer: ReadyAnswer;
  /** Where the answer was given: what hears of its end runs there. */
  scope: AsyncResource;
}

/**
 * `apart`: each answer is written at once, `#apart` of them before it is looked whether many come in one turn.
 * `starting`: so they are until this turn has ended.
 * `together`: answers wait for the end of their turn.
 */
type State = 'apart' | 'starting' | 'together';

/** Milliseconds after which answers no longer wait for others of their turn. */
const MAX_WAIT = 2;
/** Turns with fewer answers than this are not worth their end; after so many of them, answers are written apart. */
const FEW = 4;
const FEW_TURNS = 4;
const APART = 100;

const { now } = Date;

/**
 * The answers that are given in one turn of the event loop. While there are many they are written together when it ends,
 * as Redis does with its replies: the client is woken once, not for each of them, and the code that writes and the code
 * that handles requests do not drive each other out of the processor's caches.
 */
class AnswerTurn {
  #state: State = 'apart';
  #apart = APART;
  #fewTurns = 0;
  #entries: Entry[] = [];
  #since = 0;
  #end: NodeJS.Immediate | undefined;
  readonly #outside = new AsyncResource('ClutchAnswerTurn');

  constructor() {
    process.on('exit', () => this.#sendAll());
  }

  /** @returns false when the answer is to be written at once */
  join(answer: ReadyAnswer): boolean {
    if (this.#state !== 'together') {
      if (this.#state === 'apart' && --this.#apart <= 0) this.#enter('starting');
      return false;
    }
    const time = now();
    if (this.#entries.length === 0) {
      this.#since = time;
      this.#end?.ref();
    } else if (time - this.#since >= MAX_WAIT) {
      // They wait for a handler that takes long.
      this.#enter('apart');
      return false;
    }
    this.#entries.push({ answer, scope: new AsyncResource('ClutchAnswer') });
    return true;
  }

  #enter(state: State): void {
    this.#state = state;
    if (state === 'starting') {
      this.#schedule();
    } else if (state === 'apart') {
      this.#apart = APART;
      this.#fewTurns = 0;
      clearImmediate(this.#end);
      this.#sendAll();
    }
  }

  /** Before the turn that it ends: what a handler leaves to `setImmediate` comes after the answers. */
  #schedule(): void {
    this.#end = this.#outside.runInAsyncScope(setImmediate, undefined, this.#endTurn) as NodeJS.Immediate;
    this.#end.unref();
  }

  readonly #endTurn = (): void => {
    if (this.#state === 'starting') this.#enter('together');
    else this.#fewTurns = this.#entries.length < FEW ? this.#fewTurns + 1 : 0;
    if (this.#fewTurns < FEW_TURNS) {
      this.#schedule();
      this.#sendAll();
    } else {
      this.#enter('apart');
    }
  };

  #sendAll(): void {
    const entries = this.#entries;
    if (entries.length === 0) return;
    this.#entries = [];
    for (const { answer, scope } of entries) {
      try {
        scope.runInAsyncScope(answer.sendNow, answer);
      } catch (error) {
        // It reaches `ctx.onerror` through the socket; the others are sent all the same.
        answer.destroy(toError(error));
      }
    }
  }
}

export const answerTurn = new AnswerTurn();
