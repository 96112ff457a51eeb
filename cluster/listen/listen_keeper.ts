import net from 'node:net';
import {
  type ClientHandle,
  closeListenHandle,
  isRoundRobinServer,
  type ListenHandle,
  listenHandleOf,
  setListenHandle,
} from './node_cluster.js';

interface Parked {
  handle: ListenHandle;
  /** Connections that came while no worker was there. */
  waiting: ClientHandle[];
}

/**
 * Keeps the listening sockets of the Master open while there is no worker to take connections.
 *
 * Node's round robin closes its socket with the last worker, so that clients are refused until the next one listens.
 * Here the socket is parked in place of being closed, what comes meanwhile waits, and the next worker to listen on the
 * same address gets both.
 */
export class ListenKeeper {
  readonly #parked = new Map<string, Parked>();
  readonly #createServer = net.createServer;
  #active = true;

  constructor() {
    const create = this.#createServer as (...args: unknown[]) => net.Server;
    net.createServer = ((...args: unknown[]) => {
      const server = create(...args);
      if (isRoundRobinServer(args)) this.#adopt(server);
      return server;
    }) as typeof net.createServer;
  }

  #adopt(server: net.Server): void {
    const listen = server.listen.bind(server) as (...args: unknown[]) => net.Server;
    const adopted = (...args: unknown[]): net.Server => {
      const key = JSON.stringify(args);
      // Ahead of the round robin's own listener, which takes the handle away from the server.
      server.once('listening', () => this.#watch(key, listenHandleOf(server)));
      const parked = this.#parked.get(key);
      if (!parked) return listen(...args);
      setListenHandle(server, parked.handle);
      process.nextTick(() => {
        this.#parked.delete(key);
        server.emit('listening');
        // After the listener above has put itself between.
        process.nextTick(() => {
          for (const client of parked.waiting) parked.handle.onconnection(0, client);
        });
      });
      return server;
    };
    server.listen = adopted as never;
  }

  #watch(key: string, handle: ListenHandle | undefined): void {
    if (!handle) return;
    const waiting: ClientHandle[] = [];
    // The round robin has put its own onconnection in place by then.
    process.nextTick(() => {
      const distribute = handle.onconnection;
      handle.onconnection = (status, client) => {
        if (status === 0) this.#keepQueued(client, waiting);
        distribute(status, client);
      };
    });
    handle.close = (callback?: () => void): void => {
      if (!this.#active) {
        closeListenHandle(handle, callback);
        return;
      }
      handle.onconnection = (status, client) => {
        if (status === 0) waiting.push(client);
      };
      this.#parked.set(key, { handle, waiting });
    };
  }

  /** The round robin closes connections that no worker was free for when the last one leaves: they wait instead. */
  #keepQueued(client: ClientHandle, waiting: ClientHandle[]): void {
    client.close = () => {
      delete (client as Partial<ClientHandle>).close;
      if (this.#active) waiting.push(client);
      else client.close();
    };
  }

  /** From now on sockets close as Node closes them; those that are parked close at once. */
  release(): void {
    this.#active = false;
    net.createServer = this.#createServer;
    for (const { handle, waiting } of this.#parked.values()) {
      for (const client of waiting) client.close();
      handle.close();
    }
    this.#parked.clear();
  }
}
