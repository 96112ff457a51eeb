import { type Context, refuse } from '../../../../core/index.js';
import { ClutchError } from '../../../../errors.js';
import { compilePathMatch } from '../../../../framework/index.js';
import { compileDomains, type DomainTest } from '../domains.js';
import type { CsrfOptions, CsrfType } from '../options.js';
import { fetchSiteProblem, refererProblem } from './origin.js';
import { createSecret, isTokenOf, maskSecret } from './secret.js';
import { SecretCookie } from './secret_cookie.js';

const SECRET = Symbol('ctx.csrfSecret');
const TYPES: CsrfType[] = ['all', 'referer', 'ctoken', 'any', 'fetchSite'];

type WithSecret = Context & { [SECRET]?: string };

interface Rule {
  methods: Set<string>;
  matches: ((ctx: Context) => boolean) | undefined;
}

/** Keeps pages of other sites from sending requests in the name of a user. */
export class Csrf {
  readonly #options: CsrfOptions;
  readonly #type: CsrfType;
  readonly #usesToken: boolean;
  readonly #cookie: SecretCookie;
  readonly #rules: Rule[];
  readonly #isKnownHost: DomainTest;

  /** @throws {ClutchError} ERR_CLUTCH_CONFIG for an unknown type */
  constructor(options: CsrfOptions, cookieDefaults: Record<string, unknown>) {
    const { type = 'ctoken', refererWhiteList = [], supportedRequests = [] } = options;
    if (!TYPES.includes(type)) {
      throw new ClutchError('ERR_CLUTCH_CONFIG', `config.security.csrf.type is "${type}"`, {
        fix: `Use one of ${TYPES.join(', ')}.`,
      });
    }
    this.#options = options;
    this.#type = type;
    this.#usesToken = type === 'ctoken' || type === 'all' || type === 'any';
    this.#cookie = new SecretCookie(options, cookieDefaults);
    this.#isKnownHost = compileDomains(refererWhiteList);
    this.#rules = supportedRequests.map(({ path, methods }) => ({
      methods: new Set(methods.map((method) => method.toUpperCase())),
      matches: compilePathMatch({ match: path }, 'security.csrf.supportedRequests') as Rule['matches'],
    }));
  }

  /** Gives the client a secret, and refuses a request that changes something and does not come from a page of the app. */
  guard(ctx: Context): void {
    if (this.#usesToken) this.ensureSecret(ctx);
    if (!this.#isChecked(ctx)) return;
    if (this.#options.ignoreJSON && /^application\/(?:[\w.+-]+\+)?json\b/i.test(ctx.get('content-type'))) return;
    // Through the context, where an app or a test may have replaced it.
    ctx.assertCsrf();
  }

  /** @throws 403 */
  assert(ctx: Context): void {
    const wrong = this.#check(ctx);
    if (wrong === undefined) return;
    const cookies = ctx.res.getHeader('set-cookie');
    // A client without a secret gets one with the refusal, and can send the request again.
    refuse(ctx, 403, wrong, cookies === undefined ? {} : { headers: { 'set-cookie': cookies } });
  }

  /** @returns the token for a form; empty if none is checked */
  token(ctx: Context): string {
    if (!this.#usesToken) return '';
    this.ensureSecret(ctx);
    return maskSecret(this.#newSecret(ctx) ?? (this.#sentSecret(ctx) as string));
  }

  ensureSecret(ctx: Context): void {
    if (this.#newSecret(ctx) === undefined && this.#sentSecret(ctx) === undefined) this.rotate(ctx);
  }

  /** Gives the client another secret. */
  rotate(ctx: Context): void {
    if (!this.#usesToken) return;
    (ctx as WithSecret)[SECRET] = this.#options.useSession ? this.#keepInSession(ctx) : this.#cookie.setNew(ctx);
  }

  #keepInSession(ctx: Context): string {
    const { sessionName = 'csrfToken' } = this.#options;
    const secret = createSecret();
    ctx.session[sessionName] = secret;
    return secret;
  }

  /** The secret that this request has made. */
  #newSecret(ctx: Context): string | undefined {
    return (ctx as WithSecret)[SECRET];
  }

  /** The secret that came with the request. */
  #sentSecret(ctx: Context): string | undefined {
    const { useSession, sessionName = 'csrfToken' } = this.#options;
    if (!useSession) return this.#cookie.get(ctx);
    const secret = ctx.session[sessionName];
    return typeof secret === 'string' && secret !== '' ? secret : undefined;
  }

  #isChecked(ctx: Context): boolean {
    for (const { methods, matches } of this.#rules) {
      if (methods.has(ctx.method) && (matches === undefined || matches(ctx))) return true;
    }
    return false;
  }

  #check(ctx: Context): string | undefined {
    const byOrigin = () => refererProblem(ctx, this.#isKnownHost);
    switch (this.#type) {
      case 'ctoken':
        return this.#tokenProblem(ctx);
      case 'referer':
        return byOrigin();
      case 'all':
        return this.#tokenProblem(ctx) ?? byOrigin();
      case 'any': {
        const token = this.#tokenProblem(ctx);
        const origin = token && byOrigin();
        return origin && `both ctoken and referer check error: ${token}, ${origin}`;
      }
      case 'fetchSite':
        return fetchSiteProblem(ctx, this.#isKnownHost);
    }
  }

  #tokenProblem(ctx: Context): string | undefined {
    const isNew = this.#newSecret(ctx) !== undefined;
    const secret = this.#newSecret(ctx) ?? this.#sentSecret(ctx);
    // One that was made just now cannot be known to the client.
    if (secret === undefined || (isNew && !this.#options.useSession)) return 'missing csrf token';
    if (isTokenOf(secret, this.#sentToken(ctx))) return undefined;
    if (this.#options.rotateWhenInvalid) this.rotate(ctx);
    return 'invalid csrf token';
  }

  #sentToken(ctx: Context): unknown {
    const { queryName = '_csrf', bodyName = '_csrf', headerName = 'x-csrf-token' } = this.#options;
    const body = (ctx.request as { body?: unknown }).body;
    return valueIn(ctx.query, queryName) || valueIn(body, bodyName) || ctx.get(headerName);
  }
}

/** What comes from a client may be of any type. */
function valueIn(values: unknown, names: string | string[]): unknown {
  if (typeof values !== 'object' || values === null) return undefined;
  for (const name of [names].flat()) {
    const value = Object.hasOwn(values, name) ? (values as Record<string, unknown>)[name] : undefined;
    if (value) return value;
  }
  return undefined;
}
