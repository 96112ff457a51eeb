import { type Context, onceEnded } from '../../../core/index.js';

/** @returns a signal that is aborted when the client leaves before it has the whole response */
export function clientSignal(ctx: Context): AbortSignal {
  const controller = new AbortController();
  onceEnded(ctx, () => {
    if (!ctx.res.writableFinished) controller.abort(new DOMException('The client has left', 'AbortError'));
  });
  return controller.signal;
}
