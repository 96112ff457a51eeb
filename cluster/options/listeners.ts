import { boolean, type HttpsOptions, https, integer, type Kind, optionError, text } from './option_kinds.js';

/** One of the addresses on which an app listens: a port, or the path of a unix socket. */
export interface ListenerOptions {
  port?: number;
  host?: string;
  path?: string;
  /** `true`: key and certificate of the option `https` or of `config.cluster.https`. */
  https?: HttpsOptions | boolean;
  /** HTTP/2 beside HTTP/1.1, over TLS. */
  http2?: boolean;
}

const FIX = 'Give { port } or { path }, from which on `https` and `http2` may be added.';

export const listeners: Kind<ListenerOptions[], ListenerOptions[]> = {
  type: '`{ port, host?, path?, https?, http2? }[]`',
  parse(key, given) {
    if (given === undefined || given === null) return undefined;
    if (!Array.isArray(given) || given.length === 0) throw optionError(key, given, 'Give an array of addresses.');
    return given.map((each: unknown, index) => parseListener(`${key}[${index}]`, each));
  },
};

function parseListener(key: string, given: unknown): ListenerOptions {
  if (typeof given !== 'object' || given === null) throw optionError(key, given, FIX);
  const wanted = given as Record<string, unknown>;
  const listener: ListenerOptions = {};
  const port = integer(1, 65_535).parse(`${key}.port`, wanted['port'], '');
  const path = text.parse(`${key}.path`, wanted['path'], '');
  const host = text.parse(`${key}.host`, wanted['host'], '');
  if ((port === undefined) === (path === undefined)) throw optionError(key, given, FIX);
  if (port !== undefined) listener.port = port;
  if (path !== undefined) listener.path = path;
  if (host !== undefined) listener.host = host;
  listener.http2 = boolean.parse(`${key}.http2`, wanted['http2'], '') ?? false;
  const tls = wanted['https'] === true || https.parse(`${key}.https`, wanted['https'], '');
  listener.https = tls || false;
  if (listener.http2 && !listener.https)
    throw optionError(key, given, 'HTTP/2 needs `https`: browsers speak it over TLS only.');
  return listener;
}
