import type { Context } from '../../../core/index.js';
import type { PathMatchOptions } from '../../../framework/index.js';

/** What every guard may hold: false in its place turns it off, as `enable: false` does; `match` comes before `ignore`. */
export interface GuardOptions extends PathMatchOptions {
  enable?: boolean;
}

export interface HeaderOptions extends GuardOptions {
  value?: string;
}

/**
 * How a request shows that it comes from a page of the app. `ctoken`: a token that only its pages can read. `referer`: the header
 * `Referer` or `Origin`. `all`, `any`: of these two. `fetchSite`: `Sec-Fetch-Site`, which browsers set since 2023, else `Origin`.
 */
export type CsrfType = 'ctoken' | 'referer' | 'all' | 'any' | 'fetchSite';

export interface CsrfOptions extends GuardOptions {
  type?: CsrfType;
  /** Lets requests with a JSON body pass: only for apps without cross-origin scripts. Default false. */
  ignoreJSON?: boolean;
  /** Keeps the secret in the session instead of a cookie. Default false. */
  useSession?: boolean;
  cookieDomain?: string | ((ctx: Context) => string | undefined) | undefined;
  /** Several names: the secret is set under all of them and read from the first that is there. */
  cookieName?: string | string[];
  sessionName?: string;
  headerName?: string;
  bodyName?: string | string[];
  queryName?: string | string[];
  /** Makes a new secret when a token was wrong. Default false. */
  rotateWhenInvalid?: boolean;
  /** Which requests are checked; default those that change something. */
  supportedRequests?: { path: PathMatchOptions['match']; methods: string[] }[];
  /** Hosts, `.host` with all below it, of whose pages requests may come. */
  refererWhiteList?: string[];
  /** Options of `ctx.cookies.set` for the cookie of the secret. */
  cookieOptions?: Record<string, unknown>;
}

export interface CspOptions extends GuardOptions {
  /** Directives with their sources; `script-src` gets `ctx.nonce`. */
  policy?: Record<string, string | boolean | string[]>;
  reportOnly?: boolean;
  /** Internet Explorer gets the header by the name that it knows. */
  supportIE?: boolean;
}

export interface HstsOptions extends GuardOptions {
  /** Seconds; default a year. */
  maxAge?: number;
  includeSubdomains?: boolean;
}

export interface SsrfOptions {
  /** Addresses and networks such as `10.0.0.0/8` that `safeCurl` does not connect to; default all that are not public. */
  ipBlackList?: string[] | null;
  /** Addresses and networks that are let through in spite of that. */
  ipExceptionList?: string[] | null;
  /** Host names that are let through whatever their address. */
  hostnameExceptionList?: string[] | null;
  /** Decides alone in place of the lists. */
  checkAddress?: ((ip: string, family?: number | string, hostname?: string) => boolean) | null;
}

/** `config.security`. */
export interface SecurityConfig {
  /** Domains that `ctx.redirect` may lead to and `shtml` may link to; `.host` with all below it. */
  domainWhiteList?: string[];
  /** Protocols that `helper.surl` takes beside http, https, file and data. */
  protocolWhiteList?: string[];
  /** Guards that are on, separated by commas. */
  defaultMiddleware?: string;
  csrf?: CsrfOptions | false;
  xframe?: HeaderOptions | false;
  hsts?: HstsOptions | false;
  dta?: GuardOptions | false;
  methodnoallow?: GuardOptions | false;
  noopen?: GuardOptions | false;
  nosniff?: GuardOptions | false;
  referrerPolicy?: HeaderOptions | false;
  xssProtection?: HeaderOptions | false;
  csp?: CspOptions | false;
  ssrf?: SsrfOptions;
}

export type GuardName = Exclude<
  keyof SecurityConfig,
  'domainWhiteList' | 'protocolWhiteList' | 'defaultMiddleware' | 'ssrf'
>;
