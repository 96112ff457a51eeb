import os from 'node:os';
import path from 'node:path';
import type { AppInfo } from '../../../framework/index.js';
import type { MultipartConfig } from '../lib/types.js';

export default (appInfo: AppInfo): { multipart: MultipartConfig } => ({
  multipart: {
    mode: 'stream',
    autoFields: false,
    defaultCharset: 'utf8',
    fieldNameSize: 100,
    fieldSize: '100kb',
    fields: 10,
    fileSize: '10mb',
    files: 10,
    fileExtensions: [],
    whitelist: null,
    allowArrayField: false,
    tmpdir: path.join(os.tmpdir(), 'egg-multipart-tmp', appInfo.name),
    cleanSchedule: { cron: '0 30 4 * * *', disable: false },
    autoCleanup: true,
  },
});
