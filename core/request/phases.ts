import type { Context, Middleware, Next } from '../types.js';
import { type Composed, settle } from './composed.js';

const PHASES = Symbol('middleware.phases');

/** A middleware by what it does before and after those behind it. */
export interface Phases {
  /** Returns undefined to go on, or a function that runs instead: it calls `next` or not, and `after` does not run. */
  before?(ctx: Context): ((next: Next) => unknown) | undefined;
  /** Runs once those behind it have succeeded. */
  after?(ctx: Context): Promise<unknown> | undefined;
  /** Runs in place of `after` once one behind it has failed. Its promise rejects with that error or another one, or the error is dealt with. */
  failed?(ctx: Context, error: unknown): Promise<unknown>;
}

/**
 * Makes a middleware of its phases. Anything may call it as any other; where several follow each other, `compose` runs
 * them with one promise and no closure, where each function takes one or two of both.
 */
export function middlewareOf(name: string, phases: Phases): Middleware {
  const alone = new PhaseGroup([phases]);
  const run: Middleware = (ctx, next) => alone.run(ctx, next, callNext);
  return Object.defineProperties(run, { name: { value: name }, [PHASES]: { value: phases } });
}

function callNext(_ctx: Context, next?: Next): Promise<unknown> {
  return settle(next?.());
}

/** @returns undefined for any other function */
export function phasesOf(middleware: Middleware): Phases | undefined {
  return (middleware as Middleware & { [PHASES]?: Phases })[PHASES];
}

/** Middlewares that follow each other, run as one. */
export class PhaseGroup {
  readonly #list: readonly Phases[];

  constructor(list: readonly Phases[]) {
    // All of one hidden class.
    this.#list = list.map(({ before, after, failed }) => ({ before, after, failed }) as Phases);
  }

  /** @returns a promise like that of composed functions; it never throws */
  run(ctx: Context, next: Next | undefined, rest: Composed): Promise<unknown> {
    return this.#runFrom(0, ctx, next, rest);
  }

  #runFrom(first: number, ctx: Context, next: Next | undefined, rest: Composed): Promise<unknown> {
    const list = this.#list;
    for (let index = first; index < list.length; index += 1) {
      const { before } = list[index] as Phases;
      if (before === undefined) continue;
      let instead: ReturnType<typeof before>;
      try {
        instead = before(ctx);
      } catch (error) {
        return this.#fail(first, index - 1, ctx, error);
      }
      if (instead !== undefined) {
        const goOn = (): Promise<unknown> => this.#runFrom(index + 1, ctx, next, rest);
        return this.#leave(first, index - 1, ctx, runOnce(instead, goOn));
      }
    }
    return this.#leave(first, list.length - 1, ctx, rest(ctx, next));
  }

  /** Runs what comes after `result`, from `last` back to `first`. */
  #leave(first: number, last: number, ctx: Context, result: Promise<unknown>): Promise<unknown> {
    const list = this.#list;
    let index = last;
    while (index >= first && !isWaiting(list[index] as Phases)) index -= 1;
    if (index < first) return result;
    return result.then(
      () => this.#succeed(first, index, ctx),
      (error: unknown) => this.#fail(first, index, ctx, error),
    );
  }

  #succeed(first: number, last: number, ctx: Context): Promise<unknown> | undefined {
    for (let index = last; index >= first; index -= 1) {
      const { after } = this.#list[index] as Phases;
      if (after === undefined) continue;
      let waiting: Promise<unknown> | undefined;
      try {
        waiting = after(ctx);
      } catch (error) {
        return this.#fail(first, index - 1, ctx, error);
      }
      if (waiting !== undefined) return this.#leave(first, index - 1, ctx, waiting);
    }
    return undefined;
  }

  #fail(first: number, last: number, ctx: Context, error: unknown): Promise<unknown> {
    for (let index = last; index >= first; index -= 1) {
      const { failed } = this.#list[index] as Phases;
      if (failed !== undefined) return this.#leave(first, index - 1, ctx, failed(ctx, error));
    }
    return Promise.reject(error);
  }
}

function isWaiting({ after, failed }: Phases): boolean {
  return after !== undefined || failed !== undefined;
}

function runOnce(instead: (next: Next) => unknown, rest: () => Promise<unknown>): Promise<unknown> {
  let called = false;
  try {
    return settle(
      instead(() => {
        if (called) return Promise.reject(new Error('next() called multiple times'));
        called = true;
        return rest();
      }),
    );
  } catch (error) {
    return Promise.reject(error);
  }
}
