import { usageError } from '../usage_error.js';

/** Milliseconds. */
const UNITS = { ms: 1, s: 1000, m: 60_000 } as const;

/**
 * @param flag for the error
 * @param given such as `200ms`, `10s`, `1m`; a bare number is in `unit`
 * @returns milliseconds
 * @throws {ClutchError} ERR_CLUTCH_CLI
 */
export function parseDuration(flag: string, given: string, unit: keyof typeof UNITS): number {
  const [, number, suffix = unit] = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(given) ?? [];
  if (number === undefined) throw usageError(`--${flag} is no time such as 200ms, 10s or 1m: ${given}`);
  return Number(number) * UNITS[suffix as keyof typeof UNITS];
}
