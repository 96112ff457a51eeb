import type { ViewConfig } from '../../lib/options.js';
import { ViewManager } from '../../lib/view_manager.js';

const VIEW = Symbol('app.view');

export default {
  get view(): ViewManager {
    const app = this as unknown as { [VIEW]?: ViewManager; config: { view: ViewConfig } };
    return (app[VIEW] ??= new ViewManager(app.config.view));
  },
};
