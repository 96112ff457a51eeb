import { safeCurl, safeFetch } from '../../safe_curl.js';

export default { safeCurl, safeFetch };
