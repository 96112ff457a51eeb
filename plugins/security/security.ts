import type { Context } from '../../core/index.js';
import { ClutchError } from '../../errors.js';
import { compilePathMatch } from '../../framework/index.js';
import { Csrf } from './lib/csrf/csrf.js';
import { compileDomains, type DomainTest } from './lib/domains.js';
import { applyHeader, HEADER_GUARDS } from './lib/headers.js';
import type { CsrfOptions, GuardName, GuardOptions, SecurityConfig } from './lib/options.js';
import { refuseTracing, refuseTraversal } from './lib/requests.js';

const SECURITY = Symbol('app.security');

type Applies = (ctx: Context) => boolean;

/** What `config.security` comes to, worked out once. */
export class Security {
  readonly config: SecurityConfig;
  /** Undefined if it is off. */
  readonly csrf: Csrf | undefined;
  readonly isSafeDomain: DomainTest;
  /** Undefined if every domain may be redirected to. */
  readonly isListedDomain: DomainTest | undefined;
  /** Headers with the same value for every request, in the order in which they are set. */
  readonly headers: { name: string; value: string; applies: Applies | undefined }[] = [];
  /** Guards whose header is another one for each request. */
  readonly dynamicHeaders: GuardName[] = [];
  /** Guards that refuse requests, by throwing. */
  readonly guards: ((ctx: Context) => void)[] = [];
  readonly #applies = new Map<GuardName, Applies | undefined>();

  /** @throws {ClutchError} ERR_CLUTCH_CONFIG */
  constructor(config: SecurityConfig, cookieDefaults: Record<string, unknown>) {
    this.config = config;
    const domains = [config.domainWhiteList ?? []].flat();
    this.isSafeDomain = compileDomains(domains);
    this.isListedDomain = domains.length > 0 ? this.isSafeDomain : undefined;
    for (const name of enabledGuards(config)) {
      const options = optionsOf(config, name);
      const { match, ignore } = options;
      const applies = compilePathMatch(match ? { match } : { ignore }, `security.${name}`) as Applies | undefined;
      this.#applies.set(name, applies);
      if (name === 'csrf') {
        this.csrf = new Csrf(options as CsrfOptions, cookieDefaults);
        this.#addGuard((ctx) => (this.csrf as Csrf).guard(ctx), applies);
      } else if (name === 'methodnoallow') this.#addGuard(refuseTracing, applies);
      else if (name === 'dta') this.#addGuard(refuseTraversal, applies);
      else this.#addHeader(name, options, applies);
    }
  }

  /** Changes a header for one request: `ctx.securityOptions`. */
  override(ctx: Context, name: GuardName, changed: GuardOptions): void {
    if (!Object.hasOwn(HEADER_GUARDS, name)) return;
    const applies = this.#applies.get(name);
    if (applies && !applies(ctx)) return;
    applyHeader(ctx, name, { ...optionsOf(this.config, name), ...changed });
  }

  /** Sets the headers of all guards anew. */
  setHeaders(ctx: Context): void {
    for (const name of this.#applies.keys()) this.override(ctx, name, {});
  }

  #addGuard(guard: (ctx: Context) => void, applies: Applies | undefined): void {
    this.guards.push(applies ? (ctx) => applies(ctx) && guard(ctx) : guard);
  }

  #addHeader(name: GuardName, options: GuardOptions, applies: Applies | undefined): void {
    const header = HEADER_GUARDS[name];
    if (!header) return;
    if (header.isDynamic) {
      this.dynamicHeaders.push(name);
      return;
    }
    const value = header.valueOf(options, undefined as never);
    if (value !== undefined) this.headers.push({ name: header.name, value, applies });
  }
}

interface App {
  config: object;
  [SECURITY]?: Security;
}

export function securityOf(given: unknown): Security {
  const app = given as App;
  const { security, cookies = {} } = app.config as { security: SecurityConfig; cookies?: Record<string, unknown> };
  return (app[SECURITY] ??= new Security(security, cookies));
}

function optionsOf(config: SecurityConfig, name: GuardName): GuardOptions {
  return config[name] || { enable: false };
}

/** `referrerPolicy` is not in the default list, so that turning it on is enough. */
function enabledGuards(config: SecurityConfig): GuardName[] {
  const listed = (config.defaultMiddleware ?? '').split(',').map((name) => name.trim());
  const names = [...new Set([...listed.filter(Boolean), 'referrerPolicy'])] as GuardName[];
  for (const name of names) {
    const options: unknown = config[name];
    if (options !== false && (typeof options !== 'object' || options === null)) {
      throw new ClutchError(
        'ERR_CLUTCH_CONFIG',
        `config.security.${name} is ${options === null ? null : typeof options}`,
        {
          where: `config.security.defaultMiddleware lists ${name}`,
          fix: 'Use an object with its options, or false to turn it off.',
        },
      );
    }
  }
  return names.filter((name) => optionsOf(config, name).enable !== false);
}
