import { type Kind, optionError } from './option_kinds.js';

/** How many app workers must take requests until the service counts as ready: a number, or a share of those wanted. */
export type ReadyPolicy = { min: number } | { share: number };

const FIX = "Give { min: 1 }, a share such as '50%' or 0.5, or a whole number from 1 on.";

export const readyPolicy: Kind<{ min: number | string } | number | string, ReadyPolicy> = {
  type: "`{ min }`, a number, or a share (`'50%'`, `0.5`)",
  parse(key, given) {
    if (given === undefined || given === null || given === '') return undefined;
    const wanted = typeof given === 'object' ? (given as { min?: unknown }).min : given;
    const percent = typeof wanted === 'string' ? /^(\d+(?:\.\d+)?)%$/.exec(wanted)?.[1] : undefined;
    if (percent !== undefined && Number(percent) > 0 && Number(percent) <= 100) return { share: Number(percent) / 100 };
    const number = typeof wanted === 'string' && wanted.trim() !== '' ? Number(wanted) : wanted;
    if (typeof number === 'number' && number > 0 && number < 1) return { share: number };
    if (typeof number === 'number' && Number.isInteger(number) && number >= 1) return { min: number };
    throw optionError(key, given, FIX);
  },
};

/**
 * @param workers how many are wanted
 * @returns how many of them must be ready: at least one, and never more than are wanted
 */
export function workersNeeded(policy: ReadyPolicy, workers: number): number {
  const needed = 'min' in policy ? policy.min : Math.ceil(policy.share * workers);
  return Math.max(1, Math.min(needed, workers));
}

/** @returns how many of the app workers must be ready until the cluster has started: all of them, unless option `ready` is given */
export function workersToStart({ ready, workers }: { ready: ReadyPolicy | undefined; workers: number }): number {
  return ready ? workersNeeded(ready, workers) : workers;
}
