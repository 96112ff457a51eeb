import type { AnyClass } from './files/export_kind.js';
import type { MiddlewareFunction } from './files/middleware.js';
import type { PluginDeclarations } from './plugins/plugin_declaration.js';
import type { Timing } from './timing.js';

/** What the loader needs of the application that it loads into. */
export interface LoaderHost {
  baseDir: string;
  type: 'application' | 'agent';
  options: { env?: string; serverScope?: string; plugins?: PluginDeclarations };
  timing: Timing;
  context: object;
  request: object;
  response: object;
  Helper?: { prototype: object };
  middleware: unknown[];
  /** Factories of the loaded middleware by name. */
  middlewares?: object;
  lifecycle: {
    addBootHook(Boot: AnyClass): void;
    addFunctionAsBootHook(hook: (app: unknown) => unknown, file: string): void;
    init(): void;
    triggerConfigWillLoad(): void;
  };
  use(fn: MiddlewareFunction): unknown;
}
