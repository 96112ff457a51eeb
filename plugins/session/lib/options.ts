import type { Context } from '../../../core/index.js';

/** What a store, and the cookie, hold of a session: the app's own keys, and when it expires. */
export interface StoredSession {
  /** Milliseconds since the epoch; absent for a session of the browser. */
  _expire?: number;
  /** Milliseconds that the session was given. */
  _maxAge?: number;
  /** Whether it ends with the browser. */
  _session?: boolean;
  [key: string]: unknown;
}

interface StoreOptions {
  ctx: Context;
  rolling?: boolean;
  changed?: boolean;
}

/** Keeps sessions outside of the cookie, which then holds their key. */
export interface SessionStore {
  /** @returns null or undefined if there is no such session */
  get(key: string, maxAge: MaxAge, options: StoreOptions): unknown;
  /** @param maxAge milliseconds, or `session` */
  set(key: string, session: StoredSession, maxAge: MaxAge, options: StoreOptions): unknown;
  destroy(key: string, options: { ctx: Context }): unknown;
}

/** Milliseconds, or `session` for as long as the browser runs. */
export type MaxAge = number | 'session';

/** `config.session`; what is not listed here are options of `ctx.cookies.set`. */
export interface SessionConfig {
  /** Default one day. */
  maxAge?: MaxAge;
  /** Name of the cookie; default `EGG_SESS`. */
  key?: string;
  httpOnly?: boolean;
  /** Default true. */
  encrypt?: boolean;
  /** Default true; an encrypted cookie has no signature. */
  signed?: boolean;
  overwrite?: boolean;
  secure?: boolean;
  sameSite?: boolean | 'strict' | 'lax' | 'none';
  domain?: string;
  path?: string;
  /** Sends the cookie with every response of a request that has used the session, so that it starts anew. Default false. */
  rolling?: boolean;
  /** Sends the cookie again if less than half of `maxAge` is left. Default false. */
  renew?: boolean;
  /** Saves a changed session when the request has been handled. Default true. */
  autoCommit?: boolean;
  /** Whether a session that is refused is logged with its values. Default true. */
  logValue?: boolean;
  store?: SessionStore;
  /** A store that is constructed for each request, with its context. */
  ContextStore?: new (
    ctx: Context,
  ) => SessionStore;
  /** Where the key of a stored session is kept, instead of the cookie. */
  externalKey?: { get(ctx: Context): string | undefined; set(ctx: Context, key: string): void };
  /** Makes the key of a stored session; default a random UUID. */
  genid?: (ctx: Context) => string;
  /** Put before a random UUID. */
  prefix?: string;
  encode?: (session: StoredSession) => string;
  decode?: (text: string) => unknown;
  /** False refuses a session that was sent or stored. */
  valid?: (ctx: Context, session: StoredSession) => boolean;
  beforeSave?: (ctx: Context, session: Record<string, unknown>) => void;
}
