import type { TLSSocket } from 'node:tls';
import type { Attributes, TextMapGetter } from '@opentelemetry/api';
import { Masker } from '../output/secrets.js';
import type { TracedContext } from '../tracing/payloads.js';

type IncomingMessage = TracedContext['req'];

const masker = new Masker();

/** The methods that HTTP's semantic conventions name; any other is `_OTHER`, since a client may send what it likes. */
const KNOWN_METHODS = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'QUERY',
]);

export function methodAttributes(method: string): Attributes {
  if (KNOWN_METHODS.has(method)) return { 'http.request.method': method };
  return { 'http.request.method': '_OTHER', 'http.request.method_original': method };
}

/** @returns the method as it begins the name of a span */
export function methodName(method: string): string {
  return KNOWN_METHODS.has(method) ? method : 'HTTP';
}

export const headerGetter: TextMapGetter<IncomingMessage['headers']> = {
  keys: (headers) => Object.keys(headers),
  get: (headers, name) => headers[name.toLowerCase()],
};

/** What the conventions ask of a server span at its beginning. Values of secrets in the query are masked. */
export function requestAttributes({ method, url }: { method: string; url: string }, req: IncomingMessage): Attributes {
  const { headers, socket, httpVersion } = req;
  const [path = '', query] = splitTarget(url);
  const isEncrypted = (socket as TLSSocket | undefined)?.encrypted === true;
  const { hostname, port } = hostOf(headers.host ?? '');
  return definedOf({
    ...methodAttributes(method),
    'url.scheme': isEncrypted ? 'https' : 'http',
    'url.path': path,
    'url.query': query === undefined ? undefined : masker.maskUrl(`?${query}`).slice(1),
    'server.address': hostname || undefined,
    'server.port': port,
    'client.address': socket?.remoteAddress,
    'network.peer.address': socket?.remoteAddress,
    'network.peer.port': socket?.remotePort,
    'network.protocol.version': httpVersion,
    'user_agent.original': headers['user-agent'],
  });
}

/** @returns the path of a request target, and its query */
export function splitTarget(target: string): [path: string, query: string | undefined] {
  const [beforeQuery = '', ...query] = (target.split('#', 1)[0] as string).split('?');
  // A proxy may be asked with a whole URL.
  const isUrl = !beforeQuery.startsWith('/') && URL.canParse(beforeQuery);
  const path = isUrl ? new URL(beforeQuery).pathname : beforeQuery;
  return [path, query.length > 0 ? query.join('?') : undefined];
}

function hostOf(host: string): { hostname: string; port: number | undefined } {
  const [, hostname = host, port] = /^(.*?)(?::(\d+))?$/.exec(host) ?? [];
  return { hostname, port: port === undefined ? undefined : Number(port) };
}

/** What the conventions ask of a client span, without user and password. */
export function clientAttributes(method: string, text: string): Attributes {
  // urllib takes one without a protocol as well.
  const url = new URL(/^\w+:\/\//.test(text) ? text : `http://${text}`);
  url.username = url.password = '';
  return definedOf({
    ...methodAttributes(method),
    'url.full': masker.maskUrl(url.href),
    'server.address': url.hostname,
    'server.port': Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
  });
}

/** @returns those attributes of a span that its metric has as well */
export function pick(attributes: Attributes, names: readonly string[]): Attributes {
  return definedOf(Object.fromEntries(names.map((name) => [name, attributes[name]])));
}

function definedOf(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}
