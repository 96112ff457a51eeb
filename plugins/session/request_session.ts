import { createRequire } from 'node:module';
import type { Context } from '../../core/index.js';
import type { ContextSession } from './lazy/context_session.js';
import type { SessionConfig } from './lib/options.js';

const require = createRequire(import.meta.url);
const SESSION = Symbol('ctx.session');

type WithSession = Context & { [SESSION]?: ContextSession };

export function optionsOf(ctx: Context): SessionConfig {
  return ctx.app.config['session'] as SessionConfig;
}

/** @returns the session of this request if something has used it */
export function usedSession(ctx: Context): ContextSession | undefined {
  return (ctx as WithSession)[SESSION];
}

/** @returns the session of this request; its code is loaded at first use */
export function sessionOf(ctx: Context): ContextSession {
  const { ContextSession: Class } = require('./lazy/context_session.js') as typeof import('./lazy/context_session.js');
  return ((ctx as WithSession)[SESSION] ??= new Class(ctx, optionsOf(ctx)));
}
