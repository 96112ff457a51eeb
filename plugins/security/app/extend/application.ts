import { injectCsrf, injectHijackingDefense, injectNonce } from '../../lib/inject.js';
import { safeCurl, safeFetch } from '../../safe_curl.js';

export default { injectCsrf, injectHijackingDefense, injectNonce, safeCurl, safeFetch };
