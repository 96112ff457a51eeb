import { createRequire } from 'node:module';
import { ClutchError } from '../../../errors.js';

const require = createRequire(import.meta.url);

/**
 * Reads a time of a config value: a number of milliseconds, or a text such as `'10s'`, `'5 minutes'` or `'500'`.
 *
 * @param key the config key, for the error
 * @throws {ClutchError} ERR_CLUTCH_CONFIG if it is no time
 */
export function milliseconds(value: unknown, key: string): number {
  const parsed = typeof value === 'string' && value.trim() !== '' ? parse(value) : value;
  if (typeof parsed === 'number' && Number.isFinite(parsed) && parsed >= 0) return parsed;
  throw new ClutchError('ERR_CLUTCH_CONFIG', `${JSON.stringify(value)} is not a time`, {
    where: key,
    fix: "Give milliseconds, or a text such as '10s' or '5m'.",
  });
}

function parse(text: string): number | undefined {
  // Loaded at the first time that is written as text.
  const ms = require('ms') as (text: string) => number | undefined;
  return ms(text);
}
