import { createRequire } from 'node:module';
import type { Application } from '../../framework/index.js';
import type {} from '../session/lib/types.js';
import { type HandledRequest, LOCAL, type LocalPacket, type Undelivered } from './lib/messenger/wire.js';
import type {} from './lib/types.js';

const require = createRequire(import.meta.url);

/** Milliseconds that the Agent may take to publish a batch: it may be restarting. */
const PUBLISH_LIMIT = 30_000;

export default class FleetApp {
  readonly #app: Application;

  constructor(app: Application) {
    this.#app = app;
    const { messenger } = app;
    const { FleetMessenger } = require('./lazy/messenger.js') as typeof import('./lazy/messenger.js');
    const fleet = new FleetMessenger({
      side: 'app',
      publish: (batch) =>
        messenger.request('agent', LOCAL.publish, batch, { timeout: PUBLISH_LIMIT }) as Promise<Undelivered[]>,
      request: (request) => messenger.request('agent', LOCAL.request, request, { timeout: request.timeout + 1000 }),
      onError: (error) => app.coreLogger.error(error),
    });
    messenger.fleet = fleet;
    messenger.on(LOCAL.messages, (packet: LocalPacket) => fleet.receivePacket(packet));
    messenger.onRequest(LOCAL.handle, (request: HandledRequest) => fleet.handle(request));
  }

  configDidLoad(): void {
    const app = this.#app;
    // An app may have turned plugin session off.
    if (!app.config.fleet?.session || !('sessionStore' in app)) return;
    const { FleetSessionStore } = require('./lazy/shared.js') as typeof import('./lazy/shared.js');
    app.sessionStore = new FleetSessionStore(app);
  }

  async didLoad(): Promise<void> {
    // What is sent while the app closes still leaves.
    this.#app.beforeClose(() => this.#app.messenger.fleet.flush());
  }

  async serverDidReady(): Promise<void> {
    this.#app.messenger.fleet.ready();
  }
}
