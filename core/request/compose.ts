import type { Context, Middleware, Next } from '../types.js';
import { type Composed, settle } from './composed.js';
import { PhaseGroup, type Phases, phasesOf } from './phases.js';

/**
 * Composes middleware into one function, as koa-compose does: a second call of `next` rejects, and so does an error that is
 * thrown. The chain is built once; a request creates one closure for each middleware that it reaches, and none for those that are
 * made of phases.
 *
 * @throws {TypeError} if something in the list is not a function
 */
export function compose(middleware: readonly unknown[]): Composed {
  if (!Array.isArray(middleware)) throw new TypeError('Middleware stack must be an array!');
  const functions = middleware.flat(Number.POSITIVE_INFINITY) as Middleware[];
  for (const fn of functions) {
    if (typeof fn !== 'function') throw new TypeError('Middleware must be composed of functions!');
  }
  let composed: Composed = end;
  let group: Phases[] = [];
  for (const fn of functions.toReversed()) {
    const phases = phasesOf(fn);
    if (phases) {
      group.unshift(phases);
      continue;
    }
    composed = link(fn, groupLink(group, composed));
    group = [];
  }
  return groupLink(group, composed);
}

function groupLink(phases: readonly Phases[], rest: Composed): Composed {
  if (phases.length === 0) return rest;
  const group = new PhaseGroup(phases);
  return (ctx, next) => group.run(ctx, next, rest);
}

function end(_ctx: Context, next?: Next): Promise<unknown> {
  return next ? settle(next()) : DONE;
}

const DONE = Promise.resolve();

function link(fn: Middleware, rest: Composed): Composed {
  return (ctx, next) => {
    let called = false;
    try {
      return settle(
        fn(ctx, () => {
          if (called) return Promise.reject(new Error('next() called multiple times'));
          called = true;
          return rest(ctx, next);
        }),
      );
    } catch (error) {
      return Promise.reject(error);
    }
  };
}
