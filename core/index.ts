export { BaseContextClass } from './base_context_class.js';
export { ClutchCore } from './clutch_core.js';
export type { Composed } from './compose.js';
export type { CoreOptions } from './core_options.js';
export { type BootClass, type BootHook, Lifecycle } from './lifecycle/lifecycle.js';
export { responseOn } from './request_path.js';
export type { RouteArguments } from './router/route_arguments.js';
export type { Router } from './router/router.js';
export * from './types.js';
