import { safeCurl } from '../../safe_curl.js';

export default { safeCurl };
