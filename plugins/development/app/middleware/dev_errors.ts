import type { Context } from '../../../../core/index.js';
import type { Application } from '../../../../framework/index.js';
import { devErrorOf, pages } from '../../lib/dev_session.js';

const STATE_PATH = '/-/dev-error';

/** Under `clutch dev`: shows the error of the last edit in place of a page; requests for data go on to the app. */
export default (_options: unknown, app: Application) => (ctx: Context, next: () => Promise<void>) => {
  const error = devErrorOf(app);
  if (ctx.path === STATE_PATH) {
    ctx.set('cache-control', 'no-store');
    ctx.body = error?.id ?? '';
    return undefined;
  }
  if (!error) return next();
  const { asksForPage, DISMISSED, errorPage } = pages();
  const isDismissed = ctx.cookies.get(DISMISSED, { signed: false }) === error.id;
  if (isDismissed || !asksForPage(ctx.method, ctx.get('accept'))) return next();
  ctx.status = 500;
  ctx.type = 'html';
  ctx.set('cache-control', 'no-store');
  ctx.body = errorPage(error);
  return undefined;
};
