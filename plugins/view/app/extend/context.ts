import { createRequire } from 'node:module';
import type { Context } from '../../../../core/index.js';
import type { ContextView } from '../../lazy/context_view.js';
import type { Locals, ViewOptions } from '../../lib/options.js';
import type { ViewManager } from '../../lib/view_manager.js';

const require = createRequire(import.meta.url);
const VIEW = Symbol('ctx.view');

interface Self {
  app: { view: ViewManager };
  [VIEW]?: ContextView;
  view: ContextView;
  body: unknown;
}

export default {
  get view(): ContextView {
    const self = this as unknown as Self;
    const { ContextView: View } = require('../../lazy/context_view.js') as typeof import('../../lazy/context_view.js');
    return (self[VIEW] ??= new View(this as unknown as Context, self.app.view));
  },

  /** Answers with a template. */
  async render(name: string, locals?: Locals, options?: ViewOptions): Promise<void> {
    const self = this as unknown as Self;
    self.body = await self.view.render(name, locals, options);
  },

  renderView(name: string, locals?: Locals, options?: ViewOptions): Promise<string> {
    return (this as unknown as Self).view.render(name, locals, options);
  },

  renderString(template: string, locals?: Locals, options?: ViewOptions): Promise<string> {
    return (this as unknown as Self).view.renderString(template, locals, options);
  },
};
