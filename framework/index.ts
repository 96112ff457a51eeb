export { Agent } from './agent_class.js';
export { Application } from './application_class.js';
export type { ApplicationOptions } from './base_application.js';
export { Boot } from './boot.js';
export { FrameworkController } from './controller.js';
export type { Logger } from './logger.js';
export { type Message, Messenger } from './messenger.js';
export { type StartOptions, start } from './start.js';
export type { Helper } from './types.js';
