import type { LookupFunction } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { milliseconds } from '../time/milliseconds.js';
import { cachedLookup } from './dns_cache.js';

/** Decides about an address before a connection to it is opened; false fails the request. */
export type CheckAddress = (ip: string, family: number | string, hostname: string) => boolean;

/** Options of Node's `http.Agent` and agentkeepalive that Egg apps set, as far as they have a meaning here. */
interface AgentConfig {
  keepAlive?: boolean;
  /** Time until an idle connection is closed. */
  freeSocketTimeout?: number | string;
  freeSocketKeepAliveTimeout?: number | string;
  /** Connections to one origin. */
  maxSockets?: number;
  [option: string]: unknown;
}

type TlsOptions = Pick<
  ConnectionOptions,
  'ca' | 'cert' | 'key' | 'passphrase' | 'pfx' | 'rejectUnauthorized' | 'servername'
>;

export interface HttpClientOptions {
  /** Defaults of every request. */
  request?: { timeout?: number | string | (number | string)[]; [option: string]: unknown };
  httpAgent?: AgentConfig;
  httpsAgent?: AgentConfig & TlsOptions;
  /** Whether a request of `ctx.curl` is aborted when the client of `ctx` leaves. */
  abortWithClient?: boolean;
  /** HTTP/2 where the server offers it. */
  allowH2?: boolean;
  lookup?: LookupFunction;
  /** Whether names that were resolved are kept; default false. */
  enableDNSCache?: boolean;
  /** Time after which a kept name is resolved again; default 10 s. */
  dnsCacheLookupInterval?: number | string;
  /** Names that are kept; default 1000. */
  dnsCacheMaxLength?: number;
  checkAddress?: CheckAddress;
  /** Options of every connection, as undici takes them. */
  connect?: TlsOptions & { socketPath?: string; timeout?: number };
  [option: string]: unknown;
}

/** What the dispatcher of undici gets. */
export interface DispatcherOptions {
  keepAliveTimeout: number;
  /** 0 closes a connection after each request. */
  pipelining: number;
  /** Connections to one origin; null for no limit. */
  connections: number | null;
  allowH2?: boolean;
  lookup?: LookupFunction;
  checkAddress?: CheckAddress;
  connect: object;
}

const TLS: readonly (keyof TlsOptions)[] = [
  'ca',
  'cert',
  'key',
  'passphrase',
  'pfx',
  'rejectUnauthorized',
  'servername',
];

/** Keys of Egg's config that the library behind this client has no counterpart for. */
const WITHOUT_MEANING = ['maxFreeSockets', 'interceptors'] as const;

/** Egg's defaults: what an app has not changed is not warned about. */
const NO_LIMIT = Number.MAX_SAFE_INTEGER;
const DEFAULT_MAX_FREE_SOCKETS = 256;

/** @returns the defaults of a request, with all times in milliseconds */
export function requestDefaults({ request = {} }: HttpClientOptions): Record<string, unknown> {
  const { timeout, ...rest } = request;
  return timeout === undefined
    ? rest
    : { ...rest, timeout: parseTimeout(timeout, 'config.httpclient.request.timeout') };
}

/** @returns the same, one time or that for the connection and that for the response, in milliseconds */
export function parseTimeout(timeout: unknown, key: string): number | number[] {
  return Array.isArray(timeout) ? timeout.map((each) => milliseconds(each, key)) : milliseconds(timeout, key);
}

/**
 * Turns Egg's options into those of undici.
 *
 * @param warn gets a sentence for each option that was changed and has no effect
 */
export function dispatcherOptions(options: HttpClientOptions, warn: (message: string) => void): DispatcherOptions {
  const { httpAgent = {}, httpsAgent = {}, allowH2, checkAddress, connect } = options;
  // Top-level options are the old way to set both agents.
  const agent: AgentConfig = { ...httpAgent, ...pickDefined(options, ['keepAlive', 'maxSockets']) };
  const idle =
    options['freeSocketTimeout'] ??
    options['freeSocketKeepAliveTimeout'] ??
    agent.freeSocketTimeout ??
    agent.freeSocketKeepAliveTimeout ??
    4000;
  for (const message of warnings(options)) warn(message);
  const { maxSockets = NO_LIMIT } = agent;
  const timeout = requestDefaults(options)['timeout'];
  const connectTimeout = Array.isArray(timeout) ? timeout[0] : timeout;
  return {
    keepAliveTimeout: Math.max(1, milliseconds(idle, 'config.httpclient.httpAgent.freeSocketTimeout')),
    pipelining: agent.keepAlive === false ? 0 : 1,
    connections: Number.isFinite(maxSockets) && maxSockets < NO_LIMIT ? maxSockets : null,
    allowH2,
    lookup: lookupOf(options),
    checkAddress,
    connect: { timeout: connectTimeout, ...pickDefined(httpsAgent, TLS), ...connect },
  };
}

function lookupOf(options: HttpClientOptions): LookupFunction | undefined {
  const { lookup, enableDNSCache, dnsCacheLookupInterval = 10_000, dnsCacheMaxLength = 1000 } = options;
  if (!enableDNSCache) return lookup;
  return cachedLookup({
    lookup: lookup ?? (process.getBuiltinModule('node:dns').lookup as LookupFunction),
    interval: milliseconds(dnsCacheLookupInterval, 'config.httpclient.dnsCacheLookupInterval'),
    maxLength: dnsCacheMaxLength,
  });
}

function warnings(options: HttpClientOptions): string[] {
  const { httpAgent = {}, httpsAgent = {} } = options;
  const changed = (value: unknown): boolean =>
    value !== undefined && value !== false && value !== DEFAULT_MAX_FREE_SOCKETS;
  const found = WITHOUT_MEANING.flatMap((key) =>
    [
      { at: 'config.httpclient', in: options as Record<string, unknown> },
      { at: 'config.httpclient.httpAgent', in: httpAgent },
      { at: 'config.httpclient.httpsAgent', in: httpsAgent as AgentConfig },
    ]
      .filter((place) => changed(place.in[key]))
      .map(({ at }) => `${at}.${key} has no effect`),
  );
  for (const key of ['keepAlive', 'freeSocketTimeout', 'maxSockets'] as const) {
    if (httpsAgent[key] !== undefined && httpAgent[key] !== undefined && httpsAgent[key] !== httpAgent[key]) {
      found.push(`config.httpclient.httpsAgent.${key} has no effect: httpAgent.${key} is for both`);
    }
  }
  return found;
}

function pickDefined(from: Record<string, unknown>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(keys.filter((key) => from[key] !== undefined).map((key) => [key, from[key]]));
}
