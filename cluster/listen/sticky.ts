import { rmSync } from 'node:fs';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { debuglog } from 'node:util';
import { CONTROL, type ControlMessage } from '../../ipc/message.js';
import type { ListenAddress } from '../protocol/listen_address.js';
import { explainListenError } from '../protocol/listen_address.js';
import type { StickyConnection } from '../protocol/protocol.js';
import { closeKeepingFile, type InheritedSockets, type ListeningSocket } from './inherited_sockets.js';
import { handleOf } from './node_cluster.js';
import { removeStaleSocket } from './unix_socket.js';

const debug = debuglog('clutch:listen');

/**
 * Chooses the worker for a client by rendezvous hashing: each client has an order of preference of its own among the
 * slots, so that when one is empty only its clients go elsewhere, and they come back when it is filled.
 *
 * @param address of the client, IPv4 or IPv6
 * @param slots indexes of those that take connections
 */
export function stickySlot(address: string, slots: number[]): number | undefined {
  // An IPv4 client of a socket that listens on both has an address of the form ::ffff:10.0.0.1.
  const client = address.replace(/^::ffff:(?=\d+\.)/i, '');
  let best: number | undefined;
  let most = -1;
  for (const slot of slots) {
    const weight = hash(`${slot}/${client}`);
    if (weight > most) [most, best] = [weight, slot];
  }
  return best;
}

/** FNV-1a with a final mix, so that texts that differ in one digit are far apart. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

/** Milliseconds until a connection that every worker has refused is offered again, and how often it is. */
const REFUSED_PAUSE = 100;
const REFUSED_ROUNDS = 10;

/** Milliseconds that workers get to take what was accepted before the socket is released. */
const RELEASE_LIMIT = 2000;

/** A worker as far as the choice needs it. */
interface StickyWorker {
  slot: { index: number };
}

interface StickyOptions<W> {
  /** @returns the workers that take connections */
  workers: () => W[];
  send: (worker: W, message: ControlMessage, socket: net.Socket) => void;
  inherited: InheritedSockets;
}

/** A connection that no worker has taken yet. */
interface Untaken<W> {
  socket: net.Socket;
  /** Where it was sent to; undefined while no worker is ready. */
  worker: W | undefined;
  /** Whether it was sent to a worker that has ended, and that may have read from it. */
  redispatched: boolean;
  readonly refusedBy: Set<W>;
  rounds: number;
}

/**
 * The Master's own listener in sticky mode: accepts connections and dispatches each to the worker of its client.
 * The Master keeps a connection open until a worker reports that it has taken it: when that worker refuses it or ends, the
 * connection is dispatched again, and it waits while no worker is ready.
 */
export class StickyListener<W extends StickyWorker> {
  readonly #server = net.createServer({ pauseOnConnect: true }, (socket) => this.#accept(socket));
  readonly #workers: StickyOptions<W>['workers'];
  readonly #send: StickyOptions<W>['send'];
  readonly #inherited: InheritedSockets;
  #socket: ListeningSocket | undefined;
  /** Workers whose channel has closed; for a moment they still count as ready. */
  readonly #gone = new WeakSet<W>();
  /** By sequence, those that were sent in the order of sending. */
  readonly #untaken = new Map<number, Untaken<W>>();
  #sequence = 0;

  constructor({ workers, send, inherited }: StickyOptions<W>) {
    this.#inherited = inherited;
    this.#workers = workers;
    this.#send = send;
  }

  /** @returns the address it has bound; rejects when that fails */
  async listen(wanted: ListenAddress): Promise<ListenAddress> {
    const { address, port, protocol } = wanted;
    const inherited = this.#inherited.take(address, port);
    if (port === undefined && !inherited) await removeStaleSocket(address);
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error) => reject(explainListenError(error, wanted)));
      const own = port === undefined ? { path: address } : { port, host: address || undefined };
      this.#server.listen(inherited ? { fd: inherited.fd } : own, () => {
        const bound = this.#server.address() as net.AddressInfo | string | null;
        const { fd = -1 } = (handleOf(this.#server) ?? {}) as { fd?: number };
        this.#socket = { fd, address, port, removesFile: inherited?.removesFile ?? true };
        if (typeof bound === 'object' && bound?.port !== undefined) {
          this.#socket.port = bound.port;
          resolve({ address: bound.address, port: bound.port, protocol });
        } else resolve({ address, protocol });
      });
    });
  }

  /** The socket that another process can go on serving. */
  get sockets(): ListeningSocket[] {
    return this.#socket && this.#socket.fd >= 0 ? [this.#socket] : [];
  }

  /** How many connections were accepted and no worker has taken. */
  get waiting(): number {
    return this.#untaken.size;
  }

  /** Stops accepting, for another process that does; resolves when workers have taken what was accepted. */
  async release(): Promise<void> {
    if (!this.#socket) return;
    const { port, address } = this.#socket;
    this.#socket = undefined;
    if (port === undefined) closeKeepingFile(address, () => this.#server.close());
    else this.#server.close();
    const deadline = Date.now() + RELEASE_LIMIT;
    while (this.waiting > 0 && Date.now() < deadline) await sleep(5);
  }

  #accept(socket: net.Socket): void {
    socket.on('error', () => undefined);
    // A client that has gone again has no address.
    if (!socket.remoteAddress && typeof this.#server.address() !== 'string') {
      socket.destroy();
      return;
    }
    const sequence = this.#sequence++;
    this.#untaken.set(sequence, { socket, worker: undefined, redispatched: false, refusedBy: new Set(), rounds: 0 });
    this.#dispatch(sequence);
  }

  #dispatch(sequence: number): void {
    const untaken = this.#untaken.get(sequence);
    if (!untaken) return;
    const { socket, redispatched, refusedBy } = untaken;
    const all = this.#workers().filter((worker) => !this.#gone.has(worker));
    const ready = all.filter((worker) => !refusedBy.has(worker));
    if (ready.length === 0 && all.length > 0) {
      this.#offerLater(sequence, untaken);
      return;
    }
    const slot = stickySlot(
      socket.remoteAddress ?? '',
      ready.map((worker) => worker.slot.index),
    );
    untaken.worker = ready.find((worker) => worker.slot.index === slot);
    if (!untaken.worker) return;
    debug('connection %d goes to slot %d', sequence, slot);
    this.#untaken.delete(sequence);
    this.#untaken.set(sequence, untaken);
    const data: StickyConnection = { sequence, redispatched };
    this.#send(untaken.worker, { clutch: CONTROL.connection, data }, socket);
  }

  #offerLater(sequence: number, untaken: Untaken<W>): void {
    untaken.worker = undefined;
    untaken.rounds += 1;
    const round = untaken.rounds;
    setTimeout(() => {
      // A worker that has become ready meanwhile may have it.
      if (untaken.worker !== undefined || untaken.rounds !== round) return;
      untaken.refusedBy.clear();
      if (round < REFUSED_ROUNDS) this.#dispatch(sequence);
      else this.taken(sequence);
    }, REFUSED_PAUSE);
  }

  /** The worker has the connection, and the Master closes its own side of it. */
  taken(sequence: number): void {
    this.#untaken.get(sequence)?.socket.destroy();
    this.#untaken.delete(sequence);
  }

  /** The worker is draining and has not read from the connection. */
  refused(sequence: number): void {
    const untaken = this.#untaken.get(sequence);
    if (!untaken) return;
    debug('connection %d is refused', sequence);
    if (untaken.worker) untaken.refusedBy.add(untaken.worker);
    this.#dispatch(sequence);
  }

  /** The worker had no file descriptor left for the connection: one is sent after the other, so it is the first that waits. */
  lost(worker: W): void {
    for (const [sequence, untaken] of this.#untaken) {
      if (untaken.worker !== worker) continue;
      this.refused(sequence);
      return;
    }
  }

  /** Dispatches what waits for a worker, and what was sent to one that cannot reply any more. */
  redispatch(gone?: W): void {
    if (gone) this.#gone.add(gone);
    for (const [sequence, untaken] of [...this.#untaken]) {
      const { worker } = untaken;
      if (worker !== undefined && worker !== gone) continue;
      if (worker) {
        untaken.redispatched = true;
        untaken.refusedBy.add(worker);
      }
      this.#dispatch(sequence);
    }
  }

  close(): void {
    this.#server.close();
    const { port, address, removesFile } = this.#socket ?? {};
    if (address !== undefined && port === undefined && removesFile) rmSync(address, { force: true });
    for (const { socket } of this.#untaken.values()) socket.destroy();
    this.#untaken.clear();
  }
}
