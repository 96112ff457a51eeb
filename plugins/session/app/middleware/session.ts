import type { Context, Middleware, Next } from '../../../../core/index.js';
import type { SessionConfig } from '../../lib/options.js';
import { sessionOf, usedSession } from '../../request_session.js';

/** Reads the session from a store before, and saves what has changed after the middleware behind it. */
export default (options: SessionConfig): Middleware => {
  const { autoCommit = true } = options;
  return function session(ctx: Context, next: Next) {
    if (isStored(ctx, options))
      return sessionOf(ctx)
        .load()
        .then(() => run(ctx, next));
    return run(ctx, next);
  };

  // Not async: it runs for every request, most of which use no session.
  function run(ctx: Context, next: Next): Promise<unknown> {
    if (!autoCommit) return next();
    return next().then(
      () => usedSession(ctx)?.commit(),
      (error: unknown) => commitThenThrow(ctx, error),
    );
  }
};

/** Whether a store may have a session for this request. */
function isStored(ctx: Context, { store, ContextStore, externalKey, key }: SessionConfig): boolean {
  if (store === undefined && ContextStore === undefined) return false;
  return externalKey !== undefined || ctx.req.headers.cookie?.includes(`${key}=`) === true;
}

async function commitThenThrow(ctx: Context, error: unknown): Promise<never> {
  await usedSession(ctx)?.commit();
  throw error;
}
