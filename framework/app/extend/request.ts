import { parse } from 'node:querystring';
import type { Context } from '../../../core/index.js';

const QUERY = Symbol('request.query');
const QUERIES = Symbol('request.queries');
const IP = Symbol('request.ip');

type Request = Context['request'] & Record<symbol, unknown>;
interface ProxyConfig {
  proxy: boolean;
  protocol?: string;
  protocolHeaders: string;
  ipHeaders: string;
  hostHeaders: string;
  maxIpsCount: number;
}

function configOf(request: Request): ProxyConfig {
  return (request.ctx.app as unknown as { config: ProxyConfig }).config;
}

/** @returns the first of the comma-separated headers that the request has; `''` when none */
function firstHeader(request: Request, names: string): string {
  for (const name of names.split(',')) {
    const value = name.trim() && request.get(name.trim());
    if (value) return value;
  }
  return '';
}

const firstPart = (value: string): string => (value.split(',', 1)[0] as string).trim();

export default {
  get host(): string {
    const request = this as unknown as Request;
    const config = configOf(request);
    const host = (config.proxy && firstHeader(request, config.hostHeaders)) || request.get('host');
    return firstPart(host);
  },

  get protocol(): string {
    const request = this as unknown as Request;
    if ((request.socket as { encrypted?: boolean } | undefined)?.encrypted) return 'https';
    const config = configOf(request);
    const forwarded = config.proxy ? firstHeader(request, config.protocolHeaders) : '';
    return forwarded ? firstPart(forwarded) : config.protocol || 'http';
  },

  get ips(): string[] {
    const request = this as unknown as Request;
    const { proxy, ipHeaders, maxIpsCount } = configOf(request);
    if (!proxy) return [];
    const ips = firstHeader(request, ipHeaders)
      .split(/\s*,\s*/)
      .filter(Boolean);
    return maxIpsCount > 0 ? ips.slice(-maxIpsCount) : ips;
  },

  get ip(): string {
    const request = this as unknown as Request;
    request[IP] ??= (request.ips[0] ?? request.socket?.remoteAddress ?? '').replace(/^::ffff:/, '');
    return request[IP] as string;
  },

  set ip(value: string) {
    (this as unknown as Request)[IP] = value;
  },

  /** Whether the client wants JSON: by path, by the type of the response, or by what it accepts first. */
  get acceptJSON(): boolean {
    const request = this as unknown as Request;
    if (request.path.endsWith('.json')) return true;
    if (String(request.ctx.response.type).includes('json')) return true;
    const accept = request.get('accept');
    if (!accept || accept === '*/*') return false;
    return request.accepts('html', 'text', 'json') === 'json';
  },

  /** The query with one string for each key, the first of several. */
  get query(): Record<string, string> {
    const request = this as unknown as Request;
    const text = request.querystring as string;
    const cached = request[QUERY] as { text: string; query: Record<string, string> } | undefined;
    if (cached?.text === text) return cached.query;
    const query: Record<string, string> = {};
    for (const [key, value] of Object.entries(parse(text))) {
      if (key && key !== '__proto__') query[key] = Array.isArray(value) ? (value[0] as string) : (value as string);
    }
    request[QUERY] = { text, query };
    return query;
  },

  /** The query with an array for each key; `x[]` is also reached as `x`. */
  get queries(): Record<string, string[]> {
    const request = this as unknown as Request;
    const text = request.querystring as string;
    const cached = request[QUERIES] as { text: string; queries: Record<string, string[]> } | undefined;
    if (cached?.text === text) return cached.queries;
    const queries: Record<string, string[]> = {};
    for (const [key, value] of Object.entries(parse(text))) {
      if (!key || key === '__proto__') continue;
      queries[key] = [value].flat() as string[];
    }
    for (const key of Object.keys(queries)) {
      const plain = /^([^[\]]+)\[\]$/.exec(key)?.[1];
      if (plain && plain !== '__proto__') queries[plain] ??= queries[key] as string[];
    }
    request[QUERIES] = { text, queries };
    return queries;
  },
};
