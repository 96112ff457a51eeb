import type { Application } from '../../../../framework/index.js';
import { fleetClient, overReplacement } from './worker_client.js';

/** Milliseconds that a session of the browser is kept after it was last saved. */
const BROWSER_SESSION = 24 * 60 * 60 * 1000;

/** `app.sessionStore` over the fleet's server: a client finds its session on every machine. */
export class FleetSessionStore {
  readonly #app: Application;

  constructor(app: Application) {
    this.#app = app;
  }

  async get(key: string): Promise<unknown> {
    const text = await overReplacement(() => fleetClient(this.#app).get(key));
    return text === null ? undefined : (JSON.parse(text) as unknown);
  }

  async set(key: string, session: object, maxAge: number | 'session'): Promise<void> {
    const ttl = maxAge === 'session' ? BROWSER_SESSION : maxAge;
    await overReplacement(() => fleetClient(this.#app).set(key, JSON.stringify(session), ttl));
  }

  async destroy(key: string): Promise<void> {
    await overReplacement(() => fleetClient(this.#app).remove(key));
  }
}
