import { type Context, middlewareOf } from '../../../core/index.js';
import type { NotFoundConfig } from '../../lib/config.js';
import { errorPage, redirectToPage } from '../../lib/http/error_page.js';

const NOT_FOUND_HTML = '<h1>404 Not Found</h1>';

/** Gives a 404 without a body one that fits the client: JSON, a redirect to `pageUrl`, or HTML, from `template` if there is one. */
export default (options: NotFoundConfig) =>
  middlewareOf('notfound', {
    after(ctx: Context) {
      if (ctx.res.statusCode === 404 && !ctx.body) respond(ctx, options);
      return undefined;
    },
  });

function respond(ctx: Context, { pageUrl, template }: NotFoundConfig): void {
  if (!ctx.acceptJSON && pageUrl && ctx.path !== pageUrl) {
    ctx.realStatus = 404;
    redirectToPage(ctx, pageUrl);
    return;
  }
  const statusMessage = ctx.req.httpVersionMajor < 2 ? ctx.res.statusMessage : undefined;
  ctx.status = 404;
  // The app may have set a reason phrase of its own, which the line above replaces.
  if (statusMessage) ctx.message = statusMessage;
  if (ctx.acceptJSON) {
    ctx.body = { message: 'Not Found' };
  } else {
    ctx.type = 'html';
    ctx.body = htmlOf(ctx, { pageUrl, template });
  }
}

function htmlOf(ctx: Context, { pageUrl, template }: NotFoundConfig): string {
  if (template) return errorPage(ctx, template, { status: 404, title: 'Not Found', path: ctx.path });
  if (!pageUrl) return NOT_FOUND_HTML;
  return `${NOT_FOUND_HTML}<p>${pageUrl} is config.notfound.pageUrl and has no route.</p>`;
}
