export { BaseContextClass } from './base_context_class.js';
export { ClutchCore } from './clutch_core.js';
export type { Composed } from './compose.js';
export type { CoreOptions } from './core_options.js';
export { type BootClass, type BootHook, Lifecycle } from './lifecycle.js';
export type { RouteArguments } from './route_arguments.js';
export type { Router } from './router.js';
export * from './types.js';
