import { type Context, type Middleware, middlewareOf, type Next } from '../../../../core/index.js';
import type { SessionConfig } from '../../lib/options.js';
import { sessionOf, usedSession } from '../../request_session.js';

/** Reads the session from a store before, and saves what has changed after the middleware behind it. */
export default (options: SessionConfig): Middleware => {
  const { autoCommit = true } = options;
  const load = (ctx: Context) => (next: Next) =>
    sessionOf(ctx)
      .load()
      .then(() => (autoCommit ? commitAfter(ctx, next()) : next()));
  return middlewareOf('session', {
    // The store may be set at any time.
    before: (ctx: Context) => (isStored(ctx, options) ? load(ctx) : undefined),
    ...(autoCommit && { after: commit, failed: commitThenThrow }),
  });
};

function commitAfter(ctx: Context, result: Promise<unknown>): Promise<unknown> {
  return result.then(
    () => commit(ctx),
    (error: unknown) => commitThenThrow(ctx, error),
  );
}

function commit(ctx: Context): Promise<void> | undefined {
  return usedSession(ctx)?.commit();
}

/** Whether a store may have a session for this request. */
function isStored(ctx: Context, { store, ContextStore, externalKey, key }: SessionConfig): boolean {
  if (store === undefined && ContextStore === undefined) return false;
  return externalKey !== undefined || ctx.req.headers.cookie?.includes(`${key}=`) === true;
}

async function commitThenThrow(ctx: Context, error: unknown): Promise<never> {
  await usedSession(ctx)?.commit();
  throw error;
}
