import { injectCsrf, injectHijackingDefense, injectNonce } from '../../lib/inject.js';
import { safeCurl } from '../../safe_curl.js';

export default { injectCsrf, injectHijackingDefense, injectNonce, safeCurl };
