export { countedKey, readRateLimit } from '../lib/shared/rate_limit.js';
export { FleetSessionStore } from '../lib/shared/session_store.js';
export { fleetClient, overReplacement } from '../lib/shared/worker_client.js';
