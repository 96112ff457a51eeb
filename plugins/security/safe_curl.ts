import type { CheckAddress, CurlOptions, FetchOptions } from '../../framework/index.js';
import type { SecurityConfig } from './lib/options.js';
import { compileSsrf } from './lib/ssrf.js';

const CHECK = Symbol('app.ssrfCheck');

interface Client {
  fetch(url: string | URL, options?: FetchOptions): Promise<Response>;
  curl(url: string | URL, options?: CurlOptions): Promise<unknown>;
  config: { security?: SecurityConfig };
  /** One function for each app: the HTTP client keeps connections apart by it. */
  [CHECK]?: CheckAddress;
}

/** @returns the check of `config.security.ssrf` */
export function ssrfCheckOf(given: unknown): CheckAddress {
  const app = given as Client;
  return (app[CHECK] ??= compileSsrf(app.config.security?.ssrf ?? {}));
}

/** `app.curl`, which connects to no address that `config.security.ssrf` refuses. */
export function safeCurl(this: unknown, url: string | URL, options?: CurlOptions): Promise<unknown> {
  return (this as Client).curl(url, { ...options, checkAddress: ssrfCheckOf(this) });
}

/** `app.fetch`, with the same check. */
export function safeFetch(this: unknown, url: string | URL, options?: FetchOptions): Promise<Response> {
  return (this as Client).fetch(url, { ...options, checkAddress: ssrfCheckOf(this) });
}
