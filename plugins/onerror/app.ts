import type { Context } from '../../core/index.js';
import { toError } from '../../errors.js';
import { type Application, RefusalLog } from '../../framework/index.js';
import type { HttpError } from './lib/client_error_view.js';

export default class OnerrorBoot {
  readonly #app: Application;
  readonly #refusals: RefusalLog;

  constructor(app: Application) {
    this.#app = app;
    this.#refusals = new RefusalLog((line) => app.logger.warn(line));
  }

  configDidLoad(): void {
    this.#app.on('error', (error: unknown, ctx?: Context) => this.#log(toError(error), ctx));
  }

  #log(error: HttpError, given?: Context): void {
    const app = this.#app;
    const ctx = given ?? app.currentContext;
    const filter = app.config.onerror?.appErrorFilter;
    if (filter && !filter(error, ctx ?? app.createAnonymousContext())) return;
    if (ctx && this.#refusals.take(error, ctx)) return;
    const { status } = error;
    const isFault = typeof status !== 'number' || status < 200 || status >= 500;
    (ctx ?? app).logger[isFault ? 'error' : 'warn'](error);
  }
}
