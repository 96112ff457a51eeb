import type { Context } from '../../../../core/index.js';
import type { Application } from '../../../../framework/index.js';
import { sweepStale } from '../../lazy/saved_files.js';
import type { MultipartConfig } from '../../lib/types.js';

/** Removes files that no process has removed. */
export default (app: Application) => {
  const { cleanSchedule } = app.config.multipart as MultipartConfig;
  return {
    schedule: { ...cleanSchedule, type: 'worker', immediate: false },
    async task(ctx: Context): Promise<void> {
      const { tmpdir } = ctx.app.config.multipart as MultipartConfig;
      const removed = await sweepStale(tmpdir);
      if (removed > 0) ctx.coreLogger.info('[multipart] removed %d old files from %s', removed, tmpdir);
    },
  };
};
