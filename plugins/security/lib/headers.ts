import type { Context } from '../../../core/index.js';
import type { CspOptions, GuardName, GuardOptions, HeaderOptions, HstsOptions } from './options.js';

/** Sets or removes the header of one guard. */
interface HeaderGuard {
  name: string;
  /** @returns undefined for no header */
  valueOf(options: GuardOptions, ctx: Context): string | undefined;
  /** Whether the value is another one for each request. */
  isDynamic?: boolean;
}

const constant = (value: string) => (): string => value;
const ownValue = ({ value }: HeaderOptions): string | undefined => value;

/** The guards that are headers. */
export const HEADER_GUARDS: Partial<Record<GuardName, HeaderGuard>> = {
  xframe: { name: 'x-frame-options', valueOf: ({ value = 'SAMEORIGIN' }: HeaderOptions) => value },
  xssProtection: { name: 'x-xss-protection', valueOf: ownValue },
  nosniff: { name: 'x-content-type-options', valueOf: constant('nosniff') },
  noopen: { name: 'x-download-options', valueOf: constant('noopen') },
  referrerPolicy: { name: 'referrer-policy', valueOf: ownValue },
  hsts: { name: 'strict-transport-security', valueOf: hsts },
  csp: { name: 'content-security-policy', valueOf: csp, isDynamic: true },
};

function hsts({ maxAge = 365 * 24 * 60 * 60, includeSubdomains }: HstsOptions): string {
  return `max-age=${maxAge}${includeSubdomains ? '; includeSubdomains' : ''}`;
}

function csp({ policy = {} }: CspOptions, ctx: Context): string | undefined {
  const directives = Object.entries(policy).filter(([, sources]) => sources !== false);
  if (directives.length === 0) return undefined;
  return directives
    .map(([directive, given]) => {
      const sources = given === true ? [] : [given].flat();
      const nonce = `'nonce-${ctx.nonce}'`;
      if (directive === 'script-src' && !sources.includes(nonce)) sources.push(nonce);
      return [directive, ...sources].join(' ');
    })
    .join(';');
}

const CSP_NAMES = ['', 'x-'].flatMap((prefix) =>
  ['', '-report-only'].map((suffix) => `${prefix}content-security-policy${suffix}`),
);

/** Sets what the options of a guard say, and removes what they no longer say. */
export function applyHeader(ctx: Context, guard: GuardName, options: GuardOptions): void {
  const header = HEADER_GUARDS[guard];
  const { res } = ctx;
  if (!header || res.headersSent) return;
  const value = options.enable === false ? undefined : header.valueOf(options, ctx);
  if (guard === 'csp') {
    const { reportOnly, supportIE } = options as CspOptions;
    const isOld = supportIE && / MSIE /i.test(ctx.get('user-agent'));
    const sentAs = `${isOld ? 'x-' : ''}${header.name}${reportOnly ? '-report-only' : ''}`;
    for (const name of CSP_NAMES) setOrRemove(ctx, name, name === sentAs ? value : undefined);
    setOrRemove(ctx, 'x-csp-nonce', value && ctx.nonce);
  } else {
    setOrRemove(ctx, header.name, value);
  }
}

function setOrRemove({ res }: Context, name: string, value: string | undefined): void {
  if (value !== undefined) res.setHeader(name, value);
  else if (res.hasHeader(name)) res.removeHeader(name);
}
