import type { Context, Next } from '../../../core/index.js';

const NOT_FOUND_HTML = '<h1>404 Not Found</h1>';

/** Gives a 404 without body one that fits the client: JSON, a redirect to `pageUrl`, or HTML. */
export default (options: { pageUrl?: string }) =>
  function notfound(ctx: Context, next: Next): Promise<void> {
    return next().then(() => {
      if (ctx.res.statusCode === 404 && !ctx.body) answer(ctx, options);
    });
  };

function answer(ctx: Context, options: { pageUrl?: string }): void {
  if (ctx.acceptJSON) {
    ctx.status = 404;
    ctx.body = { message: 'Not Found' };
  } else if (options.pageUrl && ctx.path !== options.pageUrl) {
    ctx.redirect(options.pageUrl);
  } else {
    ctx.status = 404;
    ctx.type = 'html';
    ctx.body = options.pageUrl
      ? `${NOT_FOUND_HTML}<p>${options.pageUrl} is config.notfound.pageUrl and has no route.</p>`
      : NOT_FOUND_HTML;
  }
}
