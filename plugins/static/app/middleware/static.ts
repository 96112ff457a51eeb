import { createRequire } from 'node:module';
import type { Context, Middleware, Next } from '../../../../core/index.js';
import type { StaticServer } from '../../lazy/serve.js';
import { directoriesOf, type StaticConfig } from '../../lib/options.js';

const require = createRequire(import.meta.url);

/** Answers GET and HEAD of a path below `prefix` with a file, if there is one. */
export default (config: StaticConfig): Middleware => {
  const prefixes = [...new Set(directoriesOf(config).map(({ prefix }) => prefix))];
  const aliases = config.alias && new Map(Object.entries(config.alias));
  let server: StaticServer | undefined;
  return function serveStatic(ctx: Context, next: Next) {
    const pathname = aliases?.get(ctx.path) ?? ctx.path;
    const { method } = ctx.req;
    if (!prefixes.some((prefix) => pathname.startsWith(prefix)) || (method !== 'GET' && method !== 'HEAD'))
      return next();
    if (!server) {
      // Loaded with the first file: an API has none.
      const { StaticServer: Server } = require('../../lazy/serve.js') as typeof import('../../lazy/serve.js');
      server = new Server(config);
    }
    return server.serve(ctx, next, pathname);
  };
};
