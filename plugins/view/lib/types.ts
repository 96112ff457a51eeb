import type { Locals, ViewConfig, ViewEngine, ViewEngineClass, ViewOptions } from './options.js';
import type { ViewManager } from './view_manager.js';

export type { ViewConfig, ViewEngine, ViewEngineClass, ViewOptions };

declare module '../../../core/types.js' {
  interface KnownConfig {
    view?: ViewConfig;
  }

  interface ApplicationExtension {
    /** Engines by name: `app.view.use(name, Engine)`. */
    view: ViewManager;
  }

  interface ContextExtension {
    /** Answers with a template; its locals are those of `app`, `ctx` and this call. */
    render(name: string, locals?: Locals, options?: ViewOptions): Promise<void>;
    renderView(name: string, locals?: Locals, options?: ViewOptions): Promise<string>;
    renderString(template: string, locals?: Locals, options?: ViewOptions): Promise<string>;
    view: {
      render(name: string, locals?: Locals, options?: ViewOptions): Promise<string>;
      renderString(template: string, locals?: Locals, options?: ViewOptions): Promise<string>;
    };
  }
}
