import { parse } from 'node:querystring';
import { defineExtend } from '../../lib/define_extend.js';
import type { Request } from '../../lib/types.js';

const QUERY = Symbol('request.query');
const QUERIES = Symbol('request.queries');
const IP = Symbol('request.ip');

/** A request with what has been parsed. */
interface Own extends Request {
  [QUERY]?: { text: string; query: Record<string, string> };
  [QUERIES]?: { text: string; queries: Record<string, string[]> };
  [IP]?: string;
}

/** @returns the first of the comma-separated headers that the request has; `''` if it has none */
function firstHeader(request: Request, names: string): string {
  for (const name of names.split(',')) {
    const value = name.trim() && request.get(name.trim());
    if (value) return value;
  }
  return '';
}

const firstPart = (value: string): string => (value.split(',', 1)[0] as string).trim();

export default defineExtend<Own>({
  get host(): string {
    const { proxy, hostHeaders } = this.ctx.app.config;
    return firstPart((proxy && firstHeader(this, hostHeaders)) || this.get('host'));
  },

  get protocol(): string {
    if ((this.socket as { encrypted?: boolean } | undefined)?.encrypted) return 'https';
    const { proxy, protocolHeaders, protocol } = this.ctx.app.config;
    const forwarded = proxy ? firstHeader(this, protocolHeaders) : '';
    return forwarded ? firstPart(forwarded) : protocol || 'http';
  },

  get ips(): string[] {
    const { proxy, ipHeaders, maxIpsCount, maxProxyCount } = this.ctx.app.config;
    if (!proxy) return [];
    const ips = firstHeader(this, ipHeaders)
      .split(/\s*,\s*/)
      .filter(Boolean);
    const kept = maxIpsCount || (maxProxyCount && maxProxyCount + 1);
    return kept > 0 ? ips.slice(-kept) : ips;
  },

  get ip(): string {
    this[IP] ??= (this.ips[0] ?? this.socket?.remoteAddress ?? '').replace(/^::ffff:/, '');
    return this[IP];
  },

  set ip(value: string) {
    this[IP] = value;
  },

  /** Whether the client wants JSON: by path, by the type of the response, or by what it accepts first. */
  get acceptJSON(): boolean {
    if (this.path.endsWith('.json')) return true;
    if (String(this.ctx.response.type).includes('json')) return true;
    const accept = this.get('accept');
    if (!accept || accept === '*/*') return false;
    return this.accepts('html', 'text', 'json') === 'json';
  },

  /** The query with one string for each key, the first of several. */
  get query(): Record<string, string> {
    const text = this.querystring;
    const cached = this[QUERY];
    if (cached?.text === text) return cached.query;
    const query: Record<string, string> = {};
    for (const [key, value] of Object.entries(parse(text))) {
      if (key && key !== '__proto__') query[key] = [value].flat()[0] ?? '';
    }
    this[QUERY] = { text, query };
    return query;
  },

  /** The query with an array for each key; `x[]` is also reached as `x`. */
  get queries(): Record<string, string[]> {
    const text = this.querystring;
    const cached = this[QUERIES];
    if (cached?.text === text) return cached.queries;
    const queries: Record<string, string[]> = {};
    for (const [key, value = []] of Object.entries(parse(text))) {
      if (key && key !== '__proto__') queries[key] = [value].flat();
    }
    for (const [key, values] of Object.entries(queries)) {
      const plain = /^([^[\]]+)\[\]$/.exec(key)?.[1];
      if (plain && plain !== '__proto__' && !Object.hasOwn(queries, plain)) queries[plain] = values;
    }
    this[QUERIES] = { text, queries };
    return queries;
  },
});
