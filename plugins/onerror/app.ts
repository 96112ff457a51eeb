import type { Context } from '../../core/index.js';
import { toError } from '../../errors.js';
import type { Application } from '../../framework/index.js';
import { LogLimiter } from '../../output/log_limiter.js';
import type { HttpError } from './lib/client_error_view.js';

export default class OnerrorBoot {
  readonly #app: Application;
  readonly #badBodies: LogLimiter;

  constructor(app: Application) {
    this.#app = app;
    this.#badBodies = new LogLimiter((message) => app.logger.warn(message));
  }

  configDidLoad(): void {
    this.#app.on('error', (error: unknown, ctx?: Context) => this.#log(toError(error), ctx));
  }

  #log(error: HttpError, given?: Context): void {
    const app = this.#app;
    const ctx = given ?? app.currentContext;
    const filter = app.config.onerror?.appErrorFilter;
    if (filter && !filter(error, ctx ?? app.createAnonymousContext())) return;
    const { status } = error;
    if (ctx && isBadBody(error)) {
      this.#badBodies.log(
        `${error.name}: ${error.message} (${status}, ${ctx.method} ${ctx.path.slice(0, 200)} from ${ctx.ip})`,
      );
      return;
    }
    const isFault = typeof status !== 'number' || status < 200 || status >= 500;
    (ctx ?? app).logger[isFault ? 'error' : 'warn'](error);
  }
}

/** Whether a body could not be read or parsed, which any client can cause as often as it likes. */
function isBadBody({ name, status, type }: HttpError): boolean {
  if (name === 'SyntaxError') return status === 400;
  return typeof type === 'string' && /^(?:charset|encoding|entity|request)\./.test(type);
}
