import type { SessionConfig, SessionStore } from './options.js';
import type { Session } from './session.js';

export type { Session, SessionConfig, SessionStore };

declare module '../../../core/types.js' {
  interface KnownConfig {
    session?: SessionConfig;
  }

  interface ApplicationExtension {
    /** Where sessions are kept; undefined while they are in the cookie. */
    get sessionStore(): SessionStore | undefined;
    set sessionStore(store: SessionStore | (new (app: never) => SessionStore) | null | undefined);
  }

  interface ContextExtension {
    /** Null after it was set to null, which removes it. */
    get session(): Session;
    set session(values: object | null);
    sessionOptions: SessionConfig;
    sessionId: string | undefined;
    flash(type: string, message: unknown): void;
    flash(type: string): unknown[];
    flash(): Record<string, unknown[]>;
  }
}
