import type { CurlOptions, HttpClient } from '../../../framework/index.js';
import type { GuardOptions, SecurityConfig } from './options.js';

export type { SecurityConfig };

type Curl = HttpClient['curl'];

declare module '../../../core/types.js' {
  interface KnownConfig {
    security?: SecurityConfig;
    helper?: { shtml?: object };
  }

  interface ApplicationExtension {
    safeCurl: Curl;
    safeFetch: HttpClient['fetch'];
    injectCsrf(template: string): string;
    injectNonce(template: string): string;
    injectHijackingDefense(template: string): string;
  }

  interface ContextExtension {
    /** Options of guards and of `helper.shtml` for this request. */
    securityOptions: Record<string, GuardOptions>;
    isSafeDomain(domain: string): boolean;
    nonce: string;
    csrf: string;
    ensureCsrfSecret(rotate?: boolean): void;
    rotateCsrfSecret(): void;
    assertCsrf(): void;
    safeCurl(url: string | URL, options?: CurlOptions): ReturnType<Curl>;
    safeFetch: ContextExtension['fetch'];
    unsafeRedirect(url: string): void;
  }

  interface IHelper {
    escape(text: unknown): string;
    shtml(html: unknown): unknown;
    sjs(text: unknown): string;
    sjson(value: unknown): string;
    surl(url: unknown): unknown;
    spath(path: unknown): unknown;
    cliFilter(argument: unknown): string;
    escapeShellArg(argument: unknown): string;
    escapeShellCmd(command: unknown): string;
  }
}
