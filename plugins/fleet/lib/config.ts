import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { ClutchError } from '../../../errors.js';
import type { Agent } from '../../../framework/index.js';
import { reveal, type Secret } from '../../../output/secrets.js';

/** What the url of a server begins with; a path is that of a unix socket. */
const URLS = {
  memory: { pattern: /^/, shown: '' },
  redis: {
    pattern: /^(?:rediss?:\/\/|\/)/,
    shown: 'redis://host:6379, rediss://host:6379 or the path of a unix socket',
  },
  nats: {
    pattern: /^(?:(?:nats|tls|wss?):\/\/|[\w.-]+(?::\d+)?(?:,|$)|\[)/,
    shown: 'nats://host:4222 or tls://host:4222',
  },
} as const;

export interface FleetConfig {
  /** `memory` (default) for one machine, `redis` or `nats`, whose client the app installs. */
  adapter: 'memory' | 'redis' | 'nats';
  /** Of the server. */
  url: string | Secret | undefined;
  /** Of the fleet: machines with the same name on the same server belong together. Default: the name of the app. */
  name: string;
  /** Of this machine, the same after a restart. Default: made of host and directory. */
  member: string;
  /** Milliseconds that a lease lasts, and that a machine is missing before it is taken off the list. Default 10000. */
  lease: number;
  /** Milliseconds that a call to the server may take, and that messages wait for a connection. Default 2000. */
  timeout: number;
  /** Options of the client, passed on as they are: `tls`, `username`, `sentinels` …; `nodes` for a Redis Cluster. */
  client: Record<string, unknown>;
  /** Whether `app.sessionStore` is on the server; default false. */
  session: boolean;
}

/** @throws {ClutchError} ERR_CLUTCH_CONFIG */
export function readConfig({ config, name, baseDir }: Agent): FleetConfig {
  const given = config.fleet as Partial<FleetConfig>;
  const hash = createHash('sha256').update(baseDir).digest('hex').slice(0, 6);
  const fleet: FleetConfig = {
    adapter: given.adapter ?? 'memory',
    url: given.url,
    name: given.name ?? name.replace(/[^\w-]+/g, '-').replace(/^-/, ''),
    member: given.member ?? `${hostname()}-${hash}`,
    lease: given.lease ?? 10_000,
    timeout: given.timeout ?? 2000,
    client: given.client ?? {},
    session: given.session ?? false,
  };
  const wrong = (key: string, what: string, fix: string): ClutchError =>
    new ClutchError('ERR_CLUTCH_CONFIG', `config.fleet.${key} is ${what}`, { fix });
  if (!['memory', 'redis', 'nats'].includes(fleet.adapter)) {
    throw wrong('adapter', JSON.stringify(fleet.adapter), 'Give one of: memory, redis, nats.');
  }
  const { pattern, shown } = URLS[fleet.adapter];
  const url: unknown = reveal(fleet.url);
  if (url !== undefined && !(typeof url === 'string' && pattern.test(url))) {
    // The url itself may hold a password.
    throw wrong('url', `no url of ${fleet.adapter}`, `Give ${shown}.`);
  }
  if (!/^[\w-]+$/.test(fleet.name)) throw wrong('name', JSON.stringify(fleet.name), 'Use letters, digits, _ and -.');
  for (const key of ['lease', 'timeout'] as const) {
    if (!(Number.isFinite(fleet[key]) && fleet[key] >= 100))
      throw wrong(key, String(fleet[key]), 'Give milliseconds, at least 100.');
  }
  if (fleet.timeout > fleet.lease / 2) {
    throw wrong(
      'timeout',
      `${fleet.timeout}, more than half of lease (${fleet.lease})`,
      'A lease needs time for more than one call: give a shorter timeout or a longer lease.',
    );
  }
  return fleet;
}

/** @returns what two machines do not share that have the same name by mistake, such as clones of one image */
export function machineId(baseDir: string): string {
  const parts = [hostname(), baseDir];
  if (process.platform === 'linux') {
    // Two containers of one host have the same boot and different process namespaces.
    parts.push(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'), readlinkSync('/proc/self/ns/pid'));
  }
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 16);
}
