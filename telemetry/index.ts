export { ClutchInstrumentation } from './instrumentation.js';
export type { TelemetryOptions } from './options.js';
