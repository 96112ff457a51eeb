export { type AppInfo, type PackageJson, readPackage } from './app_info.js';
export type { ConfigObject, LoadUnit } from './config.js';
export { ContextLoader, type ContextLoaderOptions } from './context_loader.js';
export { FileLoader, type FileLoaderOptions } from './file_loader.js';
export { AgentWorkerLoader, AppWorkerLoader, Loader } from './loader.js';
export type { MiddlewareOptions } from './middleware.js';
export type { Plugin, PluginDeclaration, PluginDeclarations } from './plugin.js';
export { Timing, type TimingItem } from './timing.js';
