import type { Server, ServerResponse } from 'node:http';
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
  #onEmpty: (() => void) | undefined;

  watch(server: Server): void {
    server.on('connection', (socket) => {
      this.#open.add(socket);
      this.#addCarrier(socket);
      socket.once('close', () => {
        this.#open.delete(socket);
        if (this.#open.size === 0) this.#onEmpty?.();
      });
    });
    server.on('secureConnection', (socket) => this.#addCarrier(socket));
  }

  #addCarrier(socket: Connection): void {
    this.#carriers.add(socket);
    socket.once('close', () => this.#carriers.delete(socket));
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
    (res.req.socket as Connection)[RESPONSE] = res;
  }

  end(res: ServerResponse): void {
    const connection = res.req.socket as Connection;
    if (connection[RESPONSE] === res) connection[RESPONSE] = undefined;
    connection[BYTES_READ] = connection.bytesRead;
  }

  responseOf(socket: object): ServerResponse | undefined {
    return (socket as Connection)[RESPONSE];
  }

  /** Marks the last response of each connection as the one to close it, if its headers are not sent yet. */
  closeAfterResponse(): void {
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
