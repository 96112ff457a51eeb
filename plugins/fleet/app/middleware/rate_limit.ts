import { createRequire } from 'node:module';
import type { Context, Middleware } from '../../../../core/index.js';
import { type Application, withinTime } from '../../../../framework/index.js';
import type { Hit } from '../../lib/shared/fleet_client.js';
import type { RateLimitConfig } from '../../lib/shared/rate_limit.js';

const require = createRequire(import.meta.url);

/** Milliseconds between two log lines of counts that could not be had. */
const LOG_INTERVAL = 10_000;

/**
 * Refuses requests beyond a limit with 429, over all machines of the fleet.
 *
 * @throws {ClutchError} ERR_CLUTCH_CONFIG
 */
export default (options: RateLimitConfig, app?: Application): Middleware => {
  const lazy = require('../../lazy/shared.js') as typeof import('../../lazy/shared.js');
  const { name, limit, window, key: keyOf, failOpen, timeout } = lazy.readRateLimit(options ?? {});
  const policy = `"${name}";q=${limit};w=${Math.ceil(window / 1000)}`;
  // Connects to the Agent at boot, not with the first request. `app.middleware.rateLimit(options)` of a route gives no app.
  if (app) lazy.fleetClient(app);
  let loggedAt = Number.NEGATIVE_INFINITY;

  const count = (ctx: Context, key: string): Promise<Hit> =>
    withinTime(
      'the count',
      timeout,
      lazy.overReplacement(() => lazy.fleetClient(ctx.app).hit(key, limit, window)),
    );

  const onError = (ctx: Context, error: Error): void => {
    const now = performance.now();
    if (now - loggedAt > LOG_INTERVAL) {
      loggedAt = now;
      const outcome = failOpen ? 'requests pass' : 'requests are refused';
      ctx.app.coreLogger.warn('[fleet] rate limit "%s" cannot count, %s: %s', name, outcome, error.message);
    }
    if (!failOpen) ctx.throw(503, 'the rate limit cannot be checked', { headers: { 'Retry-After': '1' } });
  };

  return async (ctx, next) => {
    const key = keyOf(ctx);
    if (key === undefined) return next();
    let hit: Hit;
    try {
      hit = await count(ctx, lazy.countedKey(name, key));
    } catch (error) {
      onError(ctx, error as Error);
      return next();
    }
    const seconds = Math.ceil(hit.wait / 1000);
    const headers = { 'RateLimit-Policy': policy, RateLimit: `"${name}";r=${hit.remaining};t=${seconds}` };
    if (!hit.allowed) {
      ctx.throw(429, 'too many requests', { headers: { ...headers, 'Retry-After': String(Math.max(1, seconds)) } });
    }
    ctx.set(headers);
    return next();
  };
};
