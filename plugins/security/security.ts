import { type Context, HeaderBlock } from '../../core/index.js';
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
  /** Headers that every response has. */
  readonly headerBlock: HeaderBlock;
  /** Headers of responses to some paths. */
  readonly pathHeaders: { name: string; value: string; applies: Applies }[] = [];
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
    const always: [name: string, value: string][] = [];
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
      else {
        const header = this.#constantHeader(name, options);
        if (header && applies) this.pathHeaders.push({ ...header, applies });
        else if (header) always.push([header.name, header.value]);
      }
    }
    this.headerBlock = headerBlockOf(always);
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

  /** @returns undefined if the guard has no header, or another one for each request */
  #constantHeader(name: GuardName, options: GuardOptions): { name: string; value: string } | undefined {
    const header = HEADER_GUARDS[name];
    if (!header) return undefined;
    if (header.isDynamic) {
      this.dynamicHeaders.push(name);
      return undefined;
    }
    const value = header.valueOf(options, undefined as never);
    return value === undefined ? undefined : { name: header.name, value };
  }
}

/** @throws {ClutchError} ERR_CLUTCH_CONFIG for a value that is no header */
function headerBlockOf(headers: [name: string, value: string][]): HeaderBlock {
  try {
    return new HeaderBlock(headers);
  } catch (cause) {
    throw new ClutchError('ERR_CLUTCH_CONFIG', (cause as Error).message, {
      where: 'config.security',
      fix: 'Change the value of that header: one line of ASCII.',
      cause,
    });
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
