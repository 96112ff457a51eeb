import type { Context } from '../../../../core/index.js';
import { addFlash, takeAllFlash, takeFlash } from '../../lib/flash.js';
import type { SessionConfig } from '../../lib/options.js';
import type { Session } from '../../lib/session.js';
import { optionsOf, sessionOf } from '../../request_session.js';

const contextOf = (self: unknown): Context => self as Context;

export default {
  get session(): Session | null {
    return sessionOf(contextOf(this)).get();
  },

  set session(values: object | null) {
    sessionOf(contextOf(this)).set(values);
  },

  get sessionOptions(): SessionConfig {
    return optionsOf(contextOf(this));
  },

  /** The key of this session in `app.sessionStore`. */
  get sessionId(): string | undefined {
    return sessionOf(contextOf(this)).externalKey;
  },

  /**
   * Messages that are kept in the session until they are read: `flash(type, message)` adds one, `flash(type)` takes those of a type,
   * `flash()` all of them.
   */
  flash(...[type, message]: [type?: string, message?: unknown]): unknown {
    const session = sessionOf(contextOf(this)).get();
    if (!session) return type === undefined ? {} : [];
    if (type === undefined) return takeAllFlash(session);
    if (message === undefined) return takeFlash(session, type);
    return addFlash(session, type, message);
  },
};
