import { ClutchError } from '../../../errors.js';

const UNITS: Record<string, number> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 };

/**
 * @param key the config key, for the error
 * @returns the number of bytes that a value of the config means
 * @throws {ClutchError} ERR_CLUTCH_CONFIG
 */
export function byteSize(value: unknown, key: string): number {
  const [, digits, unit = 'b'] = /^(\d+(?:\.\d+)?)\s*(b|kb|mb|gb)?$/i.exec(String(value)) ?? [];
  const size = Math.floor(Number(digits) * (UNITS[unit.toLowerCase()] ?? Number.NaN));
  if (Number.isSafeInteger(size)) return size;
  throw new ClutchError('ERR_CLUTCH_CONFIG', `${JSON.stringify(value)} is not a number of bytes`, {
    where: key,
    fix: "Write a number, or a text such as '500kb' or '10mb'.",
  });
}
