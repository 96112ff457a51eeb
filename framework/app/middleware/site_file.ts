import path from 'node:path';
import type { Context, Next } from '../../../core/index.js';

type SiteFile = Buffer | string | ((ctx: Context) => SiteFile | Promise<SiteFile>);

/** Answers single paths such as `/favicon.ico` from config: a Buffer is the body, a string a redirect. */
export default (options: { cacheControl?: string; [path: string]: unknown }) =>
  async function siteFile(ctx: Context, next: Next): Promise<unknown> {
    if ((ctx.method !== 'GET' && ctx.method !== 'HEAD') || !ctx.path.startsWith('/')) return next();
    if (!Object.hasOwn(options, ctx.path)) return next();
    let content = options[ctx.path] as SiteFile;
    if (typeof content === 'function') content = await content(ctx);
    if (typeof content === 'string') return ctx.redirect(content);
    if (!Buffer.isBuffer(content)) return next();
    if (options.cacheControl) ctx.set('cache-control', options.cacheControl);
    ctx.body = content;
    ctx.type = path.extname(ctx.path);
  };
