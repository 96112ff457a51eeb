import type { CorsConfig } from '../lib/types.js';

export default {
  cors: {} satisfies CorsConfig,
};
