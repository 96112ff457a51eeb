import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeDirectory } from '../../output/make_directory.js';
import { Secret, secret } from '../../output/secrets.js';
import type { AppInfo } from '../app_info.js';
import { type ConfigObject, isPlainObject } from '../load_unit.js';

/** Key of an object in the file that stands for a `Secret`. */
const SECRET = '$secret';

/** Why a value cannot be written as JSON and read back unchanged. */
class NotJson extends Error {}

/** The last good result of one async config function, on disk. */
export interface ConfigCopy {
  /** Milliseconds since the epoch. */
  savedAt: number;
  config: ConfigObject;
}

/** @returns where the copy of a config file's result lies: one for each file, env and scope */
export function copyPath(rundir: string, file: string, { baseDir, env, scope }: AppInfo): string {
  const id = createHash('sha256').update(JSON.stringify([path.relative(baseDir, file), env, scope]));
  return path.join(rundir, `async_config_${id.digest('hex').slice(0, 12)}.json`);
}

/**
 * Saves a copy that only this user may read: unlike in dumps and logs, secrets are in it unmasked. Agent and workers save the same
 * file, so it is replaced as a whole.
 *
 * @returns undefined, or why there is no copy
 */
export function saveCopy(target: string, file: string, config: unknown): string | undefined {
  const temporary = `${target}.${randomUUID()}`;
  try {
    if (!isPlainObject(config)) throw new NotJson('its result is not a plain object');
    const text = JSON.stringify({ file, savedAt: Date.now(), config: encode(config, 'its result') });
    makeDirectory(path.dirname(target));
    writeFileSync(temporary, text, { mode: 0o600, flag: 'wx' });
    try {
      renameSync(temporary, target);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** @returns the saved copy, undefined if there is none that can be read */
export function readCopy(target: string): ConfigCopy | undefined {
  try {
    const { savedAt, config } = JSON.parse(readFileSync(target, 'utf8')) as Partial<ConfigCopy>;
    if (typeof savedAt !== 'number' || !isPlainObject(config)) return undefined;
    return { savedAt, config: decode(config) as ConfigObject };
  } catch {
    return undefined;
  }
}

function encode(value: unknown, at: string): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (value instanceof Secret) return { [SECRET]: encode(value.reveal(), at) };
  if (Array.isArray(value)) return value.map((item, index) => encode(item, `${at}[${index}]`));
  if (!isPlainObject(value) || SECRET in value) throw new NotJson(`${at} is not JSON`);
  const entries = Object.entries(value).filter(([key, child]) => child !== undefined && key !== '__proto__');
  return Object.fromEntries(entries.map(([key, child]) => [key, encode(child, `${at}.${key}`)]));
}

function decode(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decode);
  if (!isPlainObject(value)) return value;
  if (Object.hasOwn(value, SECRET)) return secret(decode(value[SECRET]));
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, decode(child)]));
}
