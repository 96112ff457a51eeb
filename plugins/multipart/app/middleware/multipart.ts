import { type Context, type Middleware, middlewareOf } from '../../../../core/index.js';
import { fileModePredicate } from '../../lib/options.js';
import type { MultipartConfig } from '../../lib/types.js';

const MULTIPART = /^multipart\//i;

/** Saves the files of multipart requests before what follows runs. */
export default (options: MultipartConfig): Middleware => {
  const isFileMode = fileModePredicate(options);
  return middlewareOf('multipart', {
    before(ctx: Context) {
      const type = ctx.req.headers['content-type'];
      if (type === undefined || !MULTIPART.test(type) || !isFileMode?.(ctx)) return undefined;
      return (next) => ctx.saveRequestFiles().then(next);
    },
  });
};
