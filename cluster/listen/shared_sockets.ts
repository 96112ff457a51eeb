import { rmSync } from 'node:fs';
import { closeKeepingFile, type InheritedSockets, type ListeningSocket } from './inherited_sockets.js';
import { closeListenHandle, interceptShared, type ListenHandle } from './node_cluster.js';

interface Shared extends ListeningSocket {
  handle: ListenHandle;
}

/**
 * The sockets on which the workers themselves accept (`scheduling: 'shared'`), as the Master holds them. Node closes one with its
 * last worker; here it stays open, so that connections wait in the kernel for the next worker.
 */
export class SharedSockets {
  readonly #sockets = new Map<string, Shared>();
  readonly #stopIntercepting: () => void;
  #closing = false;

  constructor(inherited: InheritedSockets) {
    this.#stopIntercepting = interceptShared({
      onListen: (address, port) => {
        const known = this.#sockets.get(`${address}:${port}`);
        return known ? { reuse: known.handle } : { fd: inherited.take(address, port < 0 ? undefined : port)?.fd };
      },
      onBound: (address, port, handle) => {
        const found = inherited.all.find((each) => each.port === port || (port < 0 && each.address === address));
        this.#sockets.set(`${address}:${port}`, {
          fd: -1,
          address,
          port: port < 0 ? undefined : port,
          removesFile: found?.removesFile ?? true,
          handle,
        });
        handle.close = (callback) => {
          if (this.#closing) this.#close(`${address}:${port}`, callback);
        };
      },
    });
  }

  /** The sockets that another process can go on serving. */
  get sockets(): ListeningSocket[] {
    return [...this.#sockets.values()].flatMap(({ handle, ...socket }) => {
      const fd = handle.fd ?? -1;
      return fd < 0 ? [] : [{ ...socket, fd }];
    });
  }

  /** Another process goes on: the files of unix sockets stay. */
  async release(): Promise<void> {
    for (const { address, port, handle } of this.#sockets.values()) {
      if (port === undefined) closeKeepingFile(address, () => closeListenHandle(handle));
      else closeListenHandle(handle);
    }
    this.#sockets.clear();
  }

  #close(key: string, callback?: () => void): void {
    const shared = this.#sockets.get(key);
    if (!shared) return;
    this.#sockets.delete(key);
    closeListenHandle(shared.handle, callback);
    if (shared.port === undefined && shared.removesFile) rmSync(shared.address, { force: true });
  }

  close(): void {
    this.#closing = true;
    this.#stopIntercepting();
    for (const key of [...this.#sockets.keys()]) this.#close(key);
  }
}
