import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { Context } from '../../../../core/index.js';
import { ClutchError } from '../../../../errors.js';
import { milliseconds } from '../../../../framework/index.js';

/** Longest window in milliseconds: counts in NATS are kept for so long. */
const LONGEST_WINDOW = 24 * 60 * 60 * 1000;
/** Longest key that is used as it is. */
const LONGEST_KEY = 200;

/** `config.rateLimit`, and what `app.middleware.rateLimit()` takes. */
export interface RateLimitConfig {
  /** Of the policy: limits of the same name share their counts. Default `default`. */
  name?: string;
  /** Requests of one key in a window at most; default 100. */
  limit?: number;
  /** Milliseconds or a text such as `1m` (the default); a day at most. */
  window?: number | string;
  /** Whose requests are counted together; undefined counts none. Default: the address of the client, of IPv6 its first 64 bits. */
  key?(ctx: Context): string | undefined;
  /** Whether requests pass while the server cannot be reached; false responds 503. Default true. */
  failOpen?: boolean;
  /** Milliseconds to wait for the count; default 1000. A server that is gone is known at once. */
  timeout?: number;
}

/** @throws {ClutchError} ERR_CLUTCH_CONFIG */
export function readRateLimit(given: RateLimitConfig): Required<Omit<RateLimitConfig, 'window'>> & { window: number } {
  const { name = 'default', limit = 100, key = addressOf, failOpen = true, timeout = 1000 } = given;
  const wrong = (what: string, fix: string): ClutchError =>
    new ClutchError('ERR_CLUTCH_CONFIG', what, { where: 'config.rateLimit', fix });
  const window = milliseconds(given.window ?? 60_000, 'config.rateLimit.window');
  if (!/^[\w-]+$/.test(name)) throw wrong(`name is ${JSON.stringify(name)}`, 'Use letters, digits, _ and -.');
  if (!(Number.isInteger(limit) && limit > 0)) throw wrong(`limit is ${limit}`, 'Give a whole number above 0.');
  if (window < 1000 || window > LONGEST_WINDOW) throw wrong(`window is ${window} ms`, 'Give one second to one day.');
  return { name, limit, window, key, failOpen, timeout };
}

/** @returns the key under which a client is counted, short whatever the client sends */
export function countedKey(name: string, key: string): string {
  const short = key.length > LONGEST_KEY ? createHash('sha256').update(key).digest('hex') : key;
  return `${name}:${short}`;
}

function addressOf({ ip }: Context): string {
  if (!isIPv6(ip)) return ip;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip);
  if (mapped) return mapped[1] as string;
  // A client has a network of 64 bits or more to choose its addresses from.
  const [before = '', after] = ip.replace(/%.*/, '').split('::');
  const head = before === '' ? [] : before.split(':');
  const tail = after === undefined || after === '' ? [] : after.split(':');
  const zeros = after === undefined ? [] : new Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0');
  return `${[...head, ...zeros, ...tail].slice(0, 4).join(':')}::/64`;
}
