import path from 'node:path';
import { type Context, middlewareOf, type Next } from '../../../core/index.js';
import { redirectToPage } from '../../lib/http/error_page.js';

type SiteFile = Buffer | string | ((ctx: Context) => SiteFile | Promise<SiteFile>);

/** Serves single paths such as `/favicon.ico` from config: a Buffer is the body, a string is redirected to. */
export default (options: { cacheControl?: string; [path: string]: unknown }) => {
  const files = new Map(Object.entries(options).filter(([key]) => key.startsWith('/')) as [string, SiteFile][]);
  return middlewareOf('siteFile', {
    before(ctx: Context) {
      const content = files.get(ctx.path);
      if (content === undefined || (ctx.method !== 'GET' && ctx.method !== 'HEAD')) return undefined;
      return (next) => respond(ctx, next, content, options.cacheControl);
    },
  });
};

async function respond(ctx: Context, next: Next, file: SiteFile, cacheControl: string | undefined): Promise<unknown> {
  const content = typeof file === 'function' ? await file(ctx) : file;
  if (typeof content === 'string') return redirectToPage(ctx, content);
  if (!Buffer.isBuffer(content)) return next();
  if (cacheControl) ctx.set('cache-control', cacheControl);
  ctx.body = content;
  ctx.type = path.extname(ctx.path);
  return undefined;
}
