import { type Context, type Middleware, middlewareOf } from '../../../core/index.js';
import { bodyReader } from '../../lib/body/body_reader.js';
import type { BodyParserConfig } from '../../lib/body/options.js';

interface BodyFields {
  body?: unknown;
  rawBody?: string | Buffer;
}

/** Parses JSON and form bodies into `ctx.request.body`; anything else gives `{}`. */
export default (options: BodyParserConfig): Middleware => {
  const read = bodyReader(options);
  const onerror = options.onerror ?? failWithHint;
  return middlewareOf('bodyParser', {
    before(ctx: Context) {
      const { headers } = ctx.req;
      const request: BodyFields = ctx.request;
      if (request.body !== undefined || ctx['disableBodyParser']) return undefined;
      const isEmpty = headers['content-length'] === undefined && headers['transfer-encoding'] === undefined;
      const reading = isEmpty ? undefined : read(ctx);
      if (reading === undefined) {
        request.body = {};
        return undefined;
      }
      return (next) =>
        reading.then(
          ({ body, rawBody }) => {
            request.body = body;
            if (rawBody !== undefined) request.rawBody = rawBody;
            return next();
          },
          (error: Error) => {
            request.body = {};
            onerror(error, ctx);
            return next();
          },
        );
    },
  });
};

function failWithHint(error: Error): never {
  error.message += ', check bodyParser config';
  throw error;
}
