import path from 'node:path';
import { ClutchError } from '../../errors.js';
import { boolean, integer, type Kind, optionError, strings, text } from './option_kinds.js';

/** Where the Master serves probes, metrics and the admin page; docs/admin.md says what each key means. */
export interface AdminOptions {
  port?: number | string;
  /** Default 127.0.0.1. */
  host?: string;
  /** Path of a unix socket, in place of `port`. */
  path?: string;
  /** Whether there is a page beside probes and metrics; default false. */
  page?: boolean;
  /** What visitors of the page must know; default: environment variable CLUTCH_ADMIN_TOKEN. */
  token?: string;
  /** Whether the page has no buttons and each action is refused; default false. */
  readOnly?: boolean;
  /** Names under which the page may be visited, besides the address and `localhost`. */
  allowedHosts?: string[];
}

/** The option, checked and complete. */
export interface AdminListener {
  listen: { port: number; host: string } | { path: string };
  page: boolean;
  token: string | undefined;
  readOnly: boolean;
  allowedHosts: string[];
}

/** Characters: a shorter token can be guessed. */
const SHORTEST_TOKEN = 16;

export const admin: Kind<AdminOptions | false, AdminListener> = {
  type: '`{ port \\| path, host?, page?, token?, readOnly?, allowedHosts? }`',
  parse(key, given, baseDir) {
    if (!given) return undefined;
    const wanted = given as Record<string, unknown>;
    const port = integer(0, 65_535).parse(`${key}.port`, wanted['port'], '');
    const file = text.parse(`${key}.path`, wanted['path'], '');
    if ((port === undefined) === (file === undefined)) {
      // The token must not get into a log.
      const { token: _, ...shown } = wanted;
      throw optionError(key, shown, 'Give { port } or { path }.');
    }
    const host = text.parse(`${key}.host`, wanted['host'], '') ?? '127.0.0.1';
    const page = boolean.parse(`${key}.page`, wanted['page'], '') ?? false;
    const token = parseToken(`${key}.token`, wanted['token'] ?? process.env['CLUTCH_ADMIN_TOKEN']);
    if (page && file === undefined && token === undefined && !isLoopback(host)) {
      throw new ClutchError('ERR_CLUTCH_OPTION', `the admin page would be open to everybody who reaches ${host}`, {
        where: `options ${key}.page, ${key}.host`,
        fix: `Give ${key}.token, or set CLUTCH_ADMIN_TOKEN; or listen on 127.0.0.1 or a unix socket.`,
      });
    }
    return {
      listen: file === undefined ? { port: port as number, host } : { path: path.resolve(baseDir, file) },
      page,
      token,
      readOnly: boolean.parse(`${key}.readOnly`, wanted['readOnly'], '') ?? false,
      allowedHosts: strings.parse(`${key}.allowedHosts`, wanted['allowedHosts'], '') ?? [],
    };
  },
};

function parseToken(key: string, given: unknown): string | undefined {
  if (given === undefined || given === null || given === '') return undefined;
  if (typeof given === 'string' && given.length >= SHORTEST_TOKEN) return given;
  throw new ClutchError('ERR_CLUTCH_OPTION', 'the token of the admin page is too short', {
    where: `option ${key}, or environment variable CLUTCH_ADMIN_TOKEN`,
    fix: `Give at least ${SHORTEST_TOKEN} characters that nobody can guess, for example of \`openssl rand -hex 24\`.`,
  });
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}
