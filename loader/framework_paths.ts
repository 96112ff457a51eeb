import { existsSync, realpathSync } from 'node:fs';
import { ClutchError } from '../errors.js';

const EGG_PATH = Symbol.for('egg#eggPath');

/** A class whose prototype has this member is below all frameworks: their chain ends there. */
export const CORE: unique symbol = Symbol('clutch#core');

/**
 * @returns the directories named by the classes of `app`, base first; a path named twice keeps its most derived position
 * @throws {ClutchError} ERR_CLUTCH_FRAMEWORK for a class that names none, and for a directory that does not exist
 */
export function frameworkPaths(app: object): string[] {
  const paths: string[] = [];
  for (
    let level = Object.getPrototypeOf(app);
    level && level !== Object.prototype && !Object.hasOwn(level, CORE);
    level = Object.getPrototypeOf(level)
  ) {
    const descriptor = Object.getOwnPropertyDescriptor(level, EGG_PATH);
    const name = level.constructor?.name || 'a class of the framework';
    if (!descriptor) {
      throw new ClutchError('ERR_CLUTCH_FRAMEWORK', `Symbol.for('egg#eggPath') is required on ${name}`, {
        fix: "Add get [Symbol.for('egg#eggPath')]() to the class; it returns the directory of its package.",
      });
    }
    const dir: unknown = descriptor.get ? descriptor.get.call(app) : descriptor.value;
    if (typeof dir !== 'string' || !existsSync(dir)) {
      throw new ClutchError('ERR_CLUTCH_FRAMEWORK', `Symbol.for('egg#eggPath') of ${name} is ${String(dir)}`, {
        fix: 'Return the directory of the framework package, as a string.',
      });
    }
    const real = realpathSync(dir);
    if (!paths.includes(real)) paths.unshift(real);
  }
  return paths;
}
