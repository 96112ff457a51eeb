import type { EventEmitter } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import type { ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';

const RESPONSE = Symbol('response');
const BYTES_READ = Symbol('bytes read');

interface Connection extends Socket {
  /** The response to the last request, until all of it has been passed to the system. */
  [RESPONSE]?: ServerResponse | undefined;
  /** What had been read when the last response ended. */
  [BYTES_READ]?: number;
}

/** The open connections of a worker's servers, whoever accepted them. */
export class Connections {
  readonly #open = new Set<Socket>();
  /** What carries requests: the same sockets, and with TLS those that decrypt, to which responses belong. */
  readonly #carriers = new Set<Connection>();
  readonly #sessions = new Set<ServerHttp2Session>();
  /** Responses of HTTP/2. */
  readonly #multiplexed = new Set<ServerResponse>();
  #isLeaving = false;
  #onEmpty: (() => void) | undefined;

  watch(server: Server): void {
    (server as EventEmitter).on('session', (session: ServerHttp2Session) => this.#addSession(session));
    server.on('connection', (socket) => {
      this.#open.add(socket);
      this.#addCarrier(socket);
      socket.once('close', () => {
        this.#open.delete(socket);
        if (this.#open.size === 0) this.#onEmpty?.();
      });
    });
    server.on('secureConnection', (socket: Socket & { alpnProtocol?: unknown }) => {
      if (socket.alpnProtocol !== 'h2') this.#addCarrier(socket);
    });
  }

  /** HTTP/2: it carries several requests at once, and knows when it may end. */
  #addSession(session: ServerHttp2Session): void {
    this.#sessions.add(session);
    session.once('close', () => this.#sessions.delete(session));
    if (this.#isLeaving) session.close();
  }

  #addCarrier(socket: Connection): void {
    this.#carriers.add(socket);
    socket.once('close', () => this.#carriers.delete(socket));
  }

  get count(): number {
    return this.#open.size;
  }

  get open(): Socket[] {
    return [...this.#open];
  }

  /** Calls `listener` once there is no connection. */
  whenEmpty(listener: () => void): void {
    if (this.#open.size === 0) listener();
    else this.#onEmpty = listener;
  }

  begin(res: ServerResponse): void {
    if (res.req.httpVersionMajor === 2) {
      this.#multiplexed.add(res);
      return;
    }
    (res.req.socket as Connection)[RESPONSE] = res;
  }

  end(res: ServerResponse): void {
    // The socket of a session that has ended cannot be looked at.
    if (res.req.httpVersionMajor === 2) {
      this.#multiplexed.delete(res);
      return;
    }
    const connection = res.req.socket as Connection;
    if (connection[RESPONSE] === res) connection[RESPONSE] = undefined;
    connection[BYTES_READ] = connection.bytesRead;
  }

  /** Those to the last request of each connection, and to all of HTTP/2. */
  *responses(): Generator<ServerResponse> {
    yield* this.#multiplexed;
    for (const { [RESPONSE]: res } of this.#carriers) if (res) yield res;
  }

  responseOf(socket: object): ServerResponse | undefined {
    return (socket as Connection)[RESPONSE];
  }

  /** Lets HTTP/2 clients open no more streams, and marks the last response of each other connection as the one to close it, if its headers are not sent yet. */
  closeAfterResponse(): void {
    this.#isLeaving = true;
    for (const session of this.#sessions) session.close();
    for (const { [RESPONSE]: res } of this.#carriers) if (res && !res.headersSent) res.shouldKeepAlive = false;
  }

  /**
   * Closes connections on which nothing is under way. Node's own `closeIdleConnections` also closes those whose response has
   * ended in the app and is still being read by the client.
   */
  closeIdle(): void {
    for (const connection of this.#carriers) {
      const { [RESPONSE]: res, [BYTES_READ]: read, bytesRead } = connection;
      if (res === undefined && bytesRead === (read ?? 0) && connection.writableLength === 0) connection.destroy();
    }
  }
}
