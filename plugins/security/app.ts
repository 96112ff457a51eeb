import type { Context } from '../../core/index.js';
import type { Application } from '../../framework/index.js';
import { setHeadersOnErrors } from './lib/error_headers.js';
import { safeTarget } from './lib/safe_redirect.js';
import { securityOf } from './security.js';

interface Response {
  ctx: Context;
  redirect(url: string): void;
  unsafeRedirect(url: string): void;
}

export default class SecurityBoot {
  readonly #app: Application;

  constructor(app: Application) {
    this.#app = app;
  }

  configDidLoad(): void {
    // A wrong config stops the boot.
    securityOf(this.#app);
    this.#app.config.coreMiddleware.push('securities');
    if (!this.#app.plugins['onerror']) setHeadersOnErrors(this.#app.context);
    const response = this.#app.response as unknown as Response;
    const { redirect } = response;
    response.unsafeRedirect = redirect;
    response.redirect = function (url) {
      redirect.call(this, safeTarget(this.ctx, url, securityOf(this.ctx.app).isListedDomain));
    };
  }
}
