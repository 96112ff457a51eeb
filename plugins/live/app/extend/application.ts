import type { Middleware } from '../../../../core/index.js';
import { ClutchError } from '../../../../errors.js';
import type { Application } from '../../../../framework/index.js';
import { type WebSocketHandler, WebSockets } from '../../lib/web_sockets.js';

const WEB_SOCKETS = Symbol('app.ws');

export default {
  /**
   * Registers a route for web sockets: its requests pass through the app's middleware, with session and user.
   *
   * @example app.ws('/chat', (ctx, socket) => socket.on('message', (data) => socket.send(data)))
   * @throws {ClutchError} ERR_CLUTCH_OPTION when the last argument is no function
   */
  ws(path: string, ...handlers: [...Middleware[], WebSocketHandler]): Application {
    const app = this as unknown as Application & { [WEB_SOCKETS]?: WebSockets };
    const handler = handlers.at(-1);
    if (typeof handler !== 'function') {
      throw new ClutchError('ERR_CLUTCH_OPTION', `app.ws('${path}') has no handler`, {
        where: `got ${typeof handler}`,
        fix: 'Give a function (ctx, socket) => … as the last argument.',
      });
    }
    app[WEB_SOCKETS] ??= new WebSockets(app);
    const controller = app[WEB_SOCKETS].controller(handler as WebSocketHandler);
    app.router.get(path, ...(handlers.slice(0, -1) as Middleware[]), controller);
    return app;
  },
};
