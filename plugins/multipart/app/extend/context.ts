import { createRequire } from 'node:module';
import { type Context, refuse } from '../../../../core/index.js';
import { MultipartError } from '../../lib/multipart_error.js';
import type { FilePart, MultipartConfig, MultipartOptions, Parts, SavedFile } from '../../lib/types.js';

const require = createRequire(import.meta.url);
const CONSUMED = Symbol('ctx.multipart');

// Both are loaded with the first upload.
const partsModule = () => require('../../lazy/parts.js') as typeof import('../../lazy/parts.js');
const filesModule = () => require('../../lazy/saved_files.js') as typeof import('../../lazy/saved_files.js');

const configOf = (ctx: Context): MultipartConfig => ctx.app.config.multipart as MultipartConfig;

export default {
  multipart(options: MultipartOptions = {}): Parts {
    const ctx = this as unknown as Context & { [CONSUMED]?: boolean };
    if (!ctx.is('multipart')) refuse(ctx, 400, 'Content-Type must be multipart/*');
    if (!ctx.is('multipart/form-data')) {
      throw new MultipartError('Request_unsupported', 'Content-Type must be multipart/form-data');
    }
    if (ctx[CONSUMED]) throw new TypeError("the multipart request can't be consumed twice");
    ctx[CONSUMED] = true;
    return partsModule().readParts(ctx, configOf(ctx), options);
  },

  async getFileStream(options: MultipartOptions & { requireFile?: boolean } = {}): Promise<FilePart> {
    const { requireFile = true, ...rest } = options;
    const ctx = this as unknown as Context;
    return partsModule().readFirstFile(ctx.multipart({ ...rest, autoFields: true }), requireFile);
  },

  async saveRequestFiles(options: MultipartOptions = {}): Promise<void> {
    const ctx = this as unknown as Context;
    const { tmpdir, allowArrayField, autoCleanup } = configOf(ctx);
    const parts = ctx.multipart({ ...options, autoFields: false });
    const form: { body: Record<string, string | string[]>; files: SavedFile[] } = { body: {}, files: [] };
    try {
      await filesModule().saveParts(parts, tmpdir, allowArrayField, form);
    } catch (error) {
      await ctx.cleanupRequestFiles(form.files);
      throw error;
    }
    Object.assign(ctx.request, form);
    if (!autoCleanup || form.files.length === 0) return;
    const cleanup = (): void => void ctx.cleanupRequestFiles(form.files);
    if (ctx.res.destroyed) cleanup();
    else ctx.res.once('close', cleanup);
  },

  async cleanupRequestFiles(files?: Pick<SavedFile, 'filepath'>[]): Promise<void> {
    const ctx = this as unknown as Context;
    const saved = files ?? (ctx.request as { files?: SavedFile[] }).files ?? [];
    try {
      await filesModule().removeFiles(saved);
    } catch (error) {
      // The request has its result; the schedule tries again.
      ctx.app.coreLogger.warn('[multipart] a temporary file is not removed: %s', (error as Error).message);
    }
  },
};
