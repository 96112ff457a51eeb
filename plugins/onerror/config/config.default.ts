import type { OnerrorConfig } from '../lib/options.js';

export default {
  onerror: {
    errorPageUrl: '',
    appErrorFilter: null,
    templatePath: '',
    pages: {},
    problemDetails: false,
  } satisfies OnerrorConfig,
};
