import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import { type Context, type Middleware, refuse } from '../../../core/index.js';
import type { Application } from '../../../framework/index.js';
import { keepConnection } from './connections.js';

const require = createRequire(import.meta.url);

/** Gets the context of the request that has become a web socket, and the socket. */
export type WebSocketHandler = (ctx: Context, socket: WebSocket) => unknown;

interface WebSocketConfig {
  heartbeat: number;
  ws: { maxPayload: number; origin: 'same' | 'any' | string[] };
}

/** Says that this process is restarting: clients connect again. */
const SERVICE_RESTART = 1012;
const INTERNAL_ERROR = 1011;

const IS_WEB_SOCKET = Symbol('web socket route');
const UPGRADE = Symbol('upgrade');

type UpgradeRequest = IncomingMessage & { [UPGRADE]?: { socket: Duplex; head: Buffer } };

/** Web sockets of an app: routes like others, whose requests pass through the same middleware. */
export class WebSockets {
  readonly #app: Application;
  readonly #config: WebSocketConfig;
  #server: WebSocketServer | undefined;

  constructor(app: Application) {
    this.#app = app;
    this.#config = app.config['live'] as WebSocketConfig;
    if (app.server) this.#listen(app.server);
    else app.once('server', (server: Server) => this.#listen(server));
  }

  /** @returns the controller of a route: it answers 426 to a request that wants no web socket */
  controller(handler: WebSocketHandler): Middleware {
    const accept: Middleware = (ctx) => {
      const request = ctx.req as UpgradeRequest;
      const upgrade = request[UPGRADE];
      if (!upgrade) {
        ctx.set('upgrade', 'websocket');
        refuse(ctx, 426, 'This path takes web sockets only');
      }
      if (!this.#allowsOrigin(ctx)) refuse(ctx, 403, 'This origin may not connect: see config.live.ws.origin');
      const { socket, head } = upgrade as { socket: Duplex; head: Buffer };
      ctx.respond = false;
      ctx.res.detachSocket(ctx.req.socket);
      return new Promise<void>((resolve) => {
        socket.once('close', resolve);
        this.#wss().handleUpgrade(request, socket, head, (webSocket) => {
          this.#serve(ctx, webSocket, socket, handler);
          resolve();
        });
      });
    };
    return Object.assign(accept, { [IS_WEB_SOCKET]: true });
  }

  #wss(): WebSocketServer {
    if (!this.#server) {
      const { WebSocketServer: Class } = require('ws') as typeof import('ws');
      this.#server = new Class({
        noServer: true,
        clientTracking: false,
        maxPayload: this.#config.ws.maxPayload,
        perMessageDeflate: false,
      });
    }
    return this.#server;
  }

  /** A page of another site must not use the cookies of this one. */
  #allowsOrigin(ctx: Context): boolean {
    const { origin: allowed } = this.#config.ws;
    const origin = ctx.get('origin');
    if (!origin || allowed === 'any') return true;
    if (Array.isArray(allowed)) return allowed.includes(origin);
    return URL.canParse(origin) && new URL(origin).host === ctx.host;
  }

  #serve(ctx: Context, webSocket: WebSocket, socket: Duplex, handler: WebSocketHandler): void {
    const fail = (error: unknown): void => {
      this.#app.emit('error', error, ctx);
      webSocket.close(INTERNAL_ERROR);
    };
    webSocket.on('error', (error) => ctx.coreLogger.warn('[live] %s %s: %s', ctx.ip, ctx.path, error.message));
    this.#watch(webSocket);
    keepConnection(this.#app, { leave: () => webSocket.close(SERVICE_RESTART, 'service restart') }, socket);
    try {
      const result = handler.call(ctx, ctx, webSocket);
      if (result instanceof Promise) result.catch(fail);
    } catch (error) {
      fail(error);
    }
  }

  /** A client that has gone without a word is found by a ping that nothing answers. */
  #watch(webSocket: WebSocket): void {
    const { heartbeat } = this.#config;
    if (heartbeat <= 0) return;
    let alive = true;
    webSocket.on('pong', () => {
      alive = true;
    });
    const timer = setInterval(() => {
      if (!alive) return webSocket.terminate();
      alive = false;
      webSocket.ping();
    }, heartbeat).unref();
    webSocket.once('close', () => clearInterval(timer));
  }

  #listen(server: Server): void {
    const { ServerResponse: Response } = process.getBuiltinModule('node:http');
    const handle = this.#app.callback();
    server.on('upgrade', (request: UpgradeRequest, socket: Duplex, head: Buffer) => {
      socket.on('error', () => socket.destroy());
      const isOurs = this.#matches(request);
      // Another library may have its own web sockets on other paths.
      if (!isOurs && server.listenerCount('upgrade') > 1) return;
      if (isOurs && request.headers.upgrade?.toLowerCase() === 'websocket') request[UPGRADE] = { socket, head };
      const response: ServerResponse = new Response(request);
      response.shouldKeepAlive = false;
      response.assignSocket(request.socket);
      response.once('finish', () => socket.end());
      void handle(request, response);
    });
  }

  #matches({ url = '/' }: IncomingMessage): boolean {
    const [path = '/'] = url.split('?');
    const { pathAndMethod } = this.#app.router.match(path, 'GET');
    return pathAndMethod.some(({ stack }) => stack.some((fn) => IS_WEB_SOCKET in fn));
  }
}
