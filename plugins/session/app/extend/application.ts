import { ClutchError } from '../../../../errors.js';
import type { SessionConfig, SessionStore } from '../../lib/options.js';

interface App {
  config: { session: SessionConfig };
  toAsyncFunction<T>(fn: T): T;
}

type StoreClass = new (app: unknown) => SessionStore;

export default {
  get sessionStore(): SessionStore | undefined {
    return (this as unknown as App).config.session.store;
  },

  /** An object, or a class that is constructed with the app; null puts sessions back into the cookie. */
  set sessionStore(store: SessionStore | StoreClass | null | undefined) {
    const app = this as unknown as App;
    const instance = typeof store === 'function' ? new store(app) : (store ?? undefined);
    for (const method of ['get', 'set', 'destroy'] as const) {
      if (instance && typeof instance[method] !== 'function') {
        throw new ClutchError('ERR_CLUTCH_OPTION', `app.sessionStore.${method} is not a function`, {
          fix: 'A store has get(key), set(key, session, maxAge) and destroy(key).',
        });
      }
      // A store of Egg 3 may have generator functions.
      const own = instance?.[method];
      const wrapped = app.toAsyncFunction(own);
      if (instance && wrapped !== own) Object.assign(instance, { [method]: wrapped });
    }
    if (instance) app.config.session.store = instance;
    else delete app.config.session.store;
  },
};
