import type { Context } from '../../../../core/index.js';
import type { DomainTest } from '../domains.js';

/** @returns what is wrong with `Referer` or `Origin`; undefined if the page that it names may send requests */
export function refererProblem(ctx: Context, isKnownHost: DomainTest): string | undefined {
  const referer = ctx.get('referer') || ctx.get('origin');
  if (!referer) return 'missing csrf referer or origin';
  return isFrom(referer, ctx, isKnownHost) ? undefined : 'invalid csrf referer or origin';
}

/**
 * As Go's `http.CrossOriginProtection`: a browser says itself whether the page is of another site, and an older one at least where
 * the page is from. A client that says neither is no browser, so there is nobody in whose name it could act.
 */
export function fetchSiteProblem(ctx: Context, isKnownHost: DomainTest): string | undefined {
  const site = ctx.get('sec-fetch-site');
  const origin = ctx.get('origin');
  if (site === 'same-origin' || site === 'none') return undefined;
  if (!site && !origin) return undefined;
  if (site ? isKnownHost(hostsOf(origin).hostname) : isFrom(origin, ctx, isKnownHost)) return undefined;
  return 'cross-site request';
}

function isFrom(address: string, ctx: Context, isKnownHost: DomainTest): boolean {
  const { host, hostname } = hostsOf(address);
  return host !== '' && (host === ctx.host.toLowerCase() || isKnownHost(hostname));
}

function hostsOf(address: string): { host: string; hostname: string } {
  try {
    return new URL(address);
  } catch {
    return { host: '', hostname: '' };
  }
}
