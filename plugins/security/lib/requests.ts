import path from 'node:path';
import { type Context, refuse } from '../../../core/index.js';

/** Methods that show headers of the client to a script: https://owasp.org/www-community/attacks/Cross_Site_Tracing */
export function refuseTracing(ctx: Context): void {
  const { method } = ctx.req;
  if (method === 'TRACE' || method === 'TRACK') refuse(ctx, 405);
}

/** Refuses a path that leads above the root, written plainly or encoded. */
export function refuseTraversal(ctx: Context): void {
  const url = ctx.req.url as string;
  // Most have neither a dot twice nor anything encoded.
  if (!url.includes('..') && !url.includes('%')) return;
  if (leadsAbove(ctx.path)) refuse(ctx, 400);
}

function leadsAbove(pathname: string): boolean {
  let decoded = pathname;
  try {
    decoded = decodeURIComponent(pathname);
  } catch {
    // It is looked at as it is: what decodes a path refuses this one.
  }
  const normal = path.posix.normalize(`.${decoded.replaceAll('\\', '/')}`);
  return normal === '..' || normal.startsWith('../');
}
