import type { ResolvedConfig } from './config/async_config.js';
import type { AnyClass } from './files/export_kind.js';
import type { MiddlewareFunction } from './files/middleware.js';
import type { PluginDeclarations } from './plugins/plugin_declaration.js';
import type { Timing } from './timing.js';

/** What the loader needs of the application that it loads into. */
export interface LoaderHost {
  context: object;
  request: object;
  response: object;
  Helper?: { prototype: object };
  middleware: unknown[];
  /** Factories of the loaded middleware by name. */
  middlewares?: object;
  /** A tool that only reads plugins and config gives an application without one. */
  timing?: Timing;
  lifecycle: {
    addBootHook(Boot: AnyClass): void;
    addFunctionAsBootHook(hook: (app: unknown) => unknown, file: string): void;
    init(): void;
    triggerConfigWillLoad(): void;
  };
  /** Calls `task` with `context`, which an Agent makes when it is used for the first time. */
  withContextPrototype?(task: (context: object) => void): void;
  use(fn: MiddlewareFunction): unknown;
}

/** Where the loader reports what it decides. */
export interface LoaderLogger {
  info(message: string): void;
  warn(message: string): void;
}

export interface LoaderOptions {
  /** The app's directory. */
  baseDir: string;
  /** The application; its prototype chain names the frameworks. */
  app: object;
  logger: LoaderLogger;
  /** Plugin declarations merged over those of all files. */
  plugins?: PluginDeclarations;
  /** The server env; beats `config/env` and the environment. */
  env?: string;
  /** The server scope; beats `EGG_SERVER_SCOPE`. */
  serverScope?: string;
  /** Results of async config functions, which have been awaited before. */
  resolvedConfig?: ResolvedConfig;
}
