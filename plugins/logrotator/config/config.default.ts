import type { LogrotatorConfig } from '../lib/rotators.js';

export default {
  logrotator: {
    disableRotateByDay: false,
    filesRotateByHour: null,
    hourDelimiter: '-',
    filesRotateBySize: null,
    maxFileSize: 50 * 1024 * 1024,
    maxFiles: 10,
    rotateDuration: 60_000,
    maxDays: 31,
    gzip: false,
  } satisfies LogrotatorConfig,
};
