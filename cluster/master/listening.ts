import type { InheritedSockets, ListeningSocket } from '../listen/inherited_sockets.js';
import { StickyListener } from '../listen/sticky.js';
import { PreparedSockets } from '../listen/unix_socket.js';
import { displayAddress, type ListenAddress } from '../protocol/listen_address.js';
import type { ChildSource } from '../spawn/child_source.js';
import { ClusterWorkers } from '../spawn/cluster_workers.js';
import type { ManagedChild } from '../supervise/managed_child.js';
import type { Supervisor } from '../supervise/supervisor.js';

interface ListeningParts {
  sticky: boolean;
  workers: Supervisor;
  source: ChildSource;
  inherited: InheritedSockets;
}

/** Where the service listens: the address, and the sockets that the Master holds for the app workers. */
export class Listening {
  readonly #source: ClusterWorkers | undefined;
  readonly #sticky: StickyListener<ManagedChild> | undefined;
  readonly #inherited: InheritedSockets;
  /** Unix sockets. */
  readonly prepared: PreparedSockets;
  #address: ListenAddress | undefined;

  constructor({ sticky, workers, source, inherited }: ListeningParts) {
    this.#inherited = inherited;
    this.prepared = new PreparedSockets(inherited);
    if (!(source instanceof ClusterWorkers)) return;
    this.#source = source;
    if (!sticky) return;
    const listener = new StickyListener<ManagedChild>({
      workers: () => workers.ready,
      send: ({ handle }, message, socket) => source.sendSocket(handle, message, socket),
      inherited,
    });
    const watch = (worker: ManagedChild): void => {
      worker.handle.on('socketLost', () => listener.lost(worker));
      worker.handle.once('disconnect', () => listener.redispatch(worker));
    };
    workers.on('forked', watch);
    for (const worker of workers.all) watch(worker);
    this.#sticky = listener;
  }

  /** For people: a URL, or the path of a unix socket; empty before the first worker listens. */
  get address(): string {
    return this.#address ? displayAddress(this.#address) : '';
  }

  /** Those that another Master can go on serving; undefined in threads, which cannot pass theirs on. */
  get sockets(): ListeningSocket[] | undefined {
    return this.#source && [...this.#source.sockets, ...(this.#sticky?.sockets ?? [])];
  }

  /** How many connections the Master has accepted and no worker has taken. */
  get waiting(): number {
    return (this.#source?.waiting ?? 0) + (this.#sticky?.waiting ?? 0);
  }

  /** Addresses of inherited sockets that no worker has asked for. */
  get unused(): (string | number)[] {
    return this.#inherited.unused.map(({ address, port }) => port ?? address);
  }

  /**
   * To be called when a worker is ready.
   *
   * @param address where it listens
   * @returns where the service listens; a promise while the sticky listener is bound, with the first worker
   * @throws when the sticky listener cannot be bound
   */
  opened(address: ListenAddress): ListenAddress | Promise<ListenAddress> {
    const isFirst = this.#address === undefined;
    this.#address ??= address;
    if (!this.#sticky) return this.#address;
    if (isFirst) return this.#bind(this.#sticky, address);
    this.#sticky.redispatch();
    return this.#address;
  }

  async #bind(sticky: StickyListener<ManagedChild>, address: ListenAddress): Promise<ListenAddress> {
    this.#address = await sticky.listen(address);
    sticky.redispatch();
    return this.#address;
  }

  /** A worker has taken the connection `id`. */
  taken(id: number): void {
    this.#sticky?.taken(id);
  }

  /** A worker has refused the connection `id`. */
  refused(id: number): void {
    this.#sticky?.refused(id);
  }

  /** Stops accepting, for another Master that does; resolves when workers have taken what was accepted. */
  async release(): Promise<void> {
    await Promise.all([this.#source?.release(), this.#sticky?.release()]);
  }

  close(): void {
    this.#sticky?.close();
  }
}
