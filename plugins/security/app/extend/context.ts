import type { Context } from '../../../../core/index.js';
import type { CurlOptions, FetchOptions } from '../../../../framework/index.js';
import { createNonce } from '../../lib/csrf/secret.js';
import { ssrfCheckOf } from '../../safe_curl.js';
import { securityOf } from '../../security.js';
import { reapplySecurityOptions, securityOptionsOf } from '../../security_options.js';

const NONCE = Symbol('ctx.nonce');

const contextOf = (self: unknown): Context => self as Context;

export default {
  get securityOptions(): object {
    return securityOptionsOf(contextOf(this));
  },

  /** Sets the security headers anew, where all headers were removed: for error responses. */
  setSecurityHeaders(): void {
    const ctx = contextOf(this);
    securityOf(ctx.app).setHeaders(ctx);
    reapplySecurityOptions(ctx);
  },

  /** Whether `config.security.domainWhiteList` has the domain. */
  isSafeDomain(domain: string): boolean {
    return securityOf(contextOf(this).app).isSafeDomain(domain);
  },

  /** For the scripts of this page, with a content security policy. */
  get nonce(): string {
    const ctx = this as unknown as { [NONCE]?: string };
    return (ctx[NONCE] ??= createNonce());
  },

  /** The token for a form of this page. */
  get csrf(): string {
    const ctx = contextOf(this);
    return securityOf(ctx.app).csrf?.token(ctx) ?? '';
  },

  ensureCsrfSecret(rotate?: boolean): void {
    const ctx = contextOf(this);
    const { csrf } = securityOf(ctx.app);
    if (rotate) csrf?.rotate(ctx);
    else csrf?.ensureSecret(ctx);
  },

  /** Gives the client another secret: to be called at login. */
  rotateCsrfSecret(): void {
    const ctx = contextOf(this);
    securityOf(ctx.app).csrf?.rotate(ctx);
  },

  /** Throws 403 if the request does not come from a page of the app. */
  assertCsrf(): void {
    const ctx = contextOf(this);
    securityOf(ctx.app).csrf?.assert(ctx);
  },

  safeCurl(url: string | URL, options?: CurlOptions): Promise<unknown> {
    const ctx = contextOf(this);
    return ctx.curl(url, { ...options, checkAddress: ssrfCheckOf(ctx.app) });
  },

  safeFetch(url: string | URL, options?: FetchOptions): Promise<Response> {
    const ctx = contextOf(this);
    return ctx.fetch(url, { ...options, checkAddress: ssrfCheckOf(ctx.app) });
  },

  unsafeRedirect(url: string): void {
    (this as unknown as { response: { unsafeRedirect(url: string): void } }).response.unsafeRedirect(url);
  },
};
