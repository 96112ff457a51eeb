import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';

interface DnsCacheOptions {
  /** How names are resolved. */
  lookup: LookupFunction;
  /** Milliseconds after which a name is resolved again. */
  interval: number;
  /** Names that are kept; beyond it the one that was asked for longest ago goes. */
  maxLength: number;
}

interface Entry {
  found: LookupAddress[];
  /** When, in milliseconds since the epoch. */
  since: number;
}

type Result = (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => void;

/**
 * @returns a `lookup` that keeps what it has found. An entry older than the interval is still used while the name is resolved again, and
 * stays if that fails: a resolver that is down for a moment fails no request. An unknown name is not kept
 */
export function cachedLookup({ lookup, interval, maxLength }: DnsCacheOptions): LookupFunction {
  const entries = new Map<string, Entry>();
  const pending = new Map<string, Result[]>();

  function resolve(hostname: string, family: number, key: string, result: Result): void {
    const waiting = pending.get(key);
    if (waiting) {
      waiting.push(result);
      return;
    }
    const results = [result];
    pending.set(key, results);
    lookup(hostname, { family, all: true }, (error, address, of) => {
      pending.delete(key);
      const found = Array.isArray(address) ? address : [{ address, family: of as number }];
      if (!error) keep(key, found);
      for (const each of results) each(error, found);
    });
  }

  function keep(key: string, found: LookupAddress[]): void {
    entries.delete(key);
    entries.set(key, { found, since: Date.now() });
    const [oldest] = entries.keys();
    if (oldest !== undefined && entries.size > maxLength) entries.delete(oldest);
  }

  return (hostname, options, callback) => {
    const family = Number(String(options.family ?? 0).replace('IPv', ''));
    const key = `${family} ${hostname.toLowerCase()}`;
    const respond: Result = (error, found) => {
      if (error) callback(error, '', 0);
      else if (options.all) callback(null, found);
      else callback(null, (found[0] as LookupAddress).address, (found[0] as LookupAddress).family);
    };
    const entry = entries.get(key);
    if (entry === undefined) {
      resolve(hostname, family, key, respond);
      return;
    }
    if (Date.now() - entry.since >= interval) resolve(hostname, family, key, () => undefined);
    // The name that was asked for last is last.
    else if (entries.delete(key)) entries.set(key, entry);
    process.nextTick(respond, null, entry.found);
  };
}
