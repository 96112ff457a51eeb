import { existsSync, realpathSync } from 'node:fs';
import { ClutchError } from '../errors.js';

const EGG_PATH = Symbol.for('egg#eggPath');

/** @returns the directories named by the classes of `app`, base first; a path named twice keeps its most derived position */
export function frameworkPaths(app: object): string[] {
  const paths: string[] = [];
  for (
    let level = Object.getPrototypeOf(app);
    level && level !== Object.prototype;
    level = Object.getPrototypeOf(level)
  ) {
    const descriptor = Object.getOwnPropertyDescriptor(level, EGG_PATH);
    if (!descriptor) continue;
    const dir: unknown = descriptor.get ? descriptor.get.call(app) : descriptor.value;
    const name = level.constructor?.name ?? 'a framework';
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
