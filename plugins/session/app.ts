import type { Context } from '../../core/index.js';
import type { Application } from '../../framework/index.js';
import type { SessionConfig } from './lib/options.js';

interface Refused {
  key?: string;
  value: unknown;
  ctx: Context;
}

export default class SessionBoot {
  readonly #app: Application;

  constructor(app: Application) {
    this.#app = app;
  }

  configDidLoad(): void {
    const app = this.#app;
    const options = app.config['session'] as SessionConfig;
    app.config.coreMiddleware.push('session');
    if (options.httpOnly === false) {
      app.coreLogger.warn('[session] config.session.httpOnly is false: scripts of a page can read the session');
    }
    for (const why of ['missed', 'expired', 'invalid']) {
      app.on(`session:${why}`, ({ key, value, ctx }: Refused) => {
        const shown = options.logValue === false ? '' : JSON.stringify(value);
        ctx.coreLogger.warn('[session][%s] key(%s) value(%s)', why, key, shown);
      });
    }
  }
}
