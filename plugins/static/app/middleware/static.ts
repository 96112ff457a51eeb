import { createRequire } from 'node:module';
import { type Context, type Middleware, middlewareOf } from '../../../../core/index.js';
import type { StaticServer } from '../../lazy/serve.js';
import { directoriesOf, type StaticConfig } from '../../lib/options.js';

const require = createRequire(import.meta.url);

/** Answers GET and HEAD of a path below `prefix` with a file, if there is one. */
export default (config: StaticConfig): Middleware => {
  const prefixes = [...new Set(directoriesOf(config).map(({ prefix }) => prefix))];
  const aliases = config.alias && new Map(Object.entries(config.alias));
  let server: StaticServer | undefined;
  const serverOf = (): StaticServer => {
    // Loaded with the first file: an API has none.
    const { StaticServer: Server } = require('../../lazy/serve.js') as typeof import('../../lazy/serve.js');
    return (server ??= new Server(config));
  };
  return middlewareOf('serveStatic', {
    before(ctx: Context) {
      const { method } = ctx.req;
      if (method !== 'GET' && method !== 'HEAD') return undefined;
      const { path } = ctx;
      const pathname = aliases?.get(path) ?? path;
      for (let index = 0; index < prefixes.length; index += 1) {
        if (pathname.startsWith(prefixes[index] as string)) {
          return (next) => serverOf().serve(ctx, next, pathname);
        }
      }
      return undefined;
    },
  });
};
