import type { JsonpOptions } from '../lib/jsonp.js';

export default {
  jsonp: {
    limit: 50,
    callback: ['_callback', 'callback'],
    csrf: false,
    whiteList: undefined,
  } satisfies JsonpOptions,
};
