import type { SessionConfig } from '../lib/options.js';

export default {
  session: {
    maxAge: 24 * 60 * 60 * 1000,
    key: 'EGG_SESS',
    httpOnly: true,
    encrypt: true,
    logValue: true,
  } satisfies SessionConfig,
};
