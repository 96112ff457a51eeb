import { type Context, refuse } from '../../../core/index.js';
import type { DomainTest } from './domains.js';

/**
 * Where a redirect may lead: a path of this host, this host itself, a domain of the white list, and if that is empty any host over
 * HTTP. What is no such address leads to `/`.
 *
 * @throws 403 for a host that is not in the white list
 */
export function safeTarget(ctx: Context, target: unknown, isListed: DomainTest | undefined): string {
  const text = typeof target === 'string' ? target.trim() : String(target ?? '');
  // Browsers take a backslash for a slash, and two of them for the start of a host.
  if (/^\/(?![\\/])/.test(text)) return text;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) return '/';
  if (isListed && !isListed(url.hostname) && url.host !== ctx.host.toLowerCase()) {
    refuse(ctx, 403, `a security problem has been detected for url "${text}", redirection is prohibited.`);
  }
  return url.href;
}
