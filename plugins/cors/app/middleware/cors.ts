import { createRequire } from 'node:module';
import type { Context, Middleware } from '../../../../core/index.js';
import { ClutchError } from '../../../../errors.js';
import type { CorsConfig } from '../../lib/types.js';

const require = createRequire(import.meta.url);

/**
 * Tells browsers whose pages may read the responses.
 *
 * @throws {ClutchError} ERR_CLUTCH_CONFIG if any page could read what belongs to a user
 */
export default (config: CorsConfig, app: { plugins: object }): Middleware => {
  const origin = config.origin ?? ('security' in app.plugins ? listedOrigin : '*');
  if (origin === '*' && config.credentials) {
    throw new ClutchError('ERR_CLUTCH_CONFIG', 'config.cors has credentials, and origin "*"', {
      where: 'config.cors',
      fix: 'Name the origins that may read what belongs to a user, or leave credentials out.',
    });
  }
  const cors = require('@koa/cors') as (options: CorsConfig) => Middleware;
  return cors({ ...config, origin });
};

/** @returns the origin of the request if `config.security.domainWhiteList` has it, else nothing */
function listedOrigin(ctx: Context): string {
  const origin = ctx.get('origin');
  const hostname = URL.canParse(origin) ? new URL(origin).hostname : '';
  return ctx.isSafeDomain(hostname) || ctx.isSafeDomain(origin) ? origin : '';
}
