import net from 'node:net';
import { CONTROL, type Message } from '../../ipc/message.js';
import { explainListenError } from '../protocol/address.js';
import type { ListenAddress } from '../protocol/protocol.js';
import { removeStaleSocket } from './unix_socket.js';

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

/** A worker as far as the choice needs it. */
interface StickyWorker {
  slot: { index: number };
}

interface StickyOptions<W> {
  /** @returns the workers that take connections */
  workers: () => W[];
  send: (worker: W, message: Message, socket: net.Socket) => void;
}

interface Waiting<W> {
  socket: net.Socket;
  worker: W | undefined;
}

/**
 * The Master's own listener in sticky mode: accepts connections and hands each to the worker of its client.
 * A connection that no worker has taken yet is handed to another one when its worker dies, and waits while there is none.
 */
export class StickyListener<W extends StickyWorker> {
  readonly #server = net.createServer({ pauseOnConnect: true }, (socket) => this.#accept(socket));
  readonly #workers: StickyOptions<W>['workers'];
  readonly #send: StickyOptions<W>['send'];
  readonly #waiting = new Map<number, Waiting<W>>();
  #sequence = 0;

  constructor({ workers, send }: StickyOptions<W>) {
    this.#workers = workers;
    this.#send = send;
  }

  /** @returns the address it has bound; rejects when that fails */
  async listen(wanted: ListenAddress): Promise<ListenAddress> {
    const { address, port, protocol } = wanted;
    if (port === undefined) await removeStaleSocket(address);
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error) => reject(explainListenError(error, wanted)));
      this.#server.listen(port === undefined ? { path: address } : { port, host: address || undefined }, () => {
        const bound = this.#server.address() as net.AddressInfo | string;
        resolve(
          typeof bound === 'string'
            ? { address: bound, protocol }
            : { address: bound.address, port: bound.port, protocol },
        );
      });
    });
  }

  #accept(socket: net.Socket): void {
    socket.on('error', () => undefined);
    // A client that has gone again has no address.
    if (!socket.remoteAddress && typeof this.#server.address() !== 'string') {
      socket.destroy();
      return;
    }
    const sequence = this.#sequence++;
    this.#waiting.set(sequence, { socket, worker: undefined });
    this.#dispatch(sequence);
  }

  #dispatch(sequence: number): void {
    const waiting = this.#waiting.get(sequence) as Waiting<W>;
    const ready = this.#workers();
    const slot = stickySlot(
      waiting.socket.remoteAddress ?? '',
      ready.map((worker) => worker.slot.index),
    );
    waiting.worker = ready.find((worker) => worker.slot.index === slot);
    if (!waiting.worker) return;
    this.#send(waiting.worker, { action: CONTROL.connection, data: sequence }, waiting.socket);
  }

  /** The worker has the connection; the Master's own hold on it ends. */
  taken(sequence: number): void {
    this.#waiting.get(sequence)?.socket.destroy();
    this.#waiting.delete(sequence);
  }

  /** Hands on what waits: a worker has come, or this one has gone. */
  redispatch(gone?: W): void {
    for (const [sequence, { worker }] of this.#waiting) {
      if (worker === undefined || worker === gone) this.#dispatch(sequence);
    }
  }

  close(): void {
    this.#server.close();
    for (const { socket } of this.#waiting.values()) socket.destroy();
    this.#waiting.clear();
  }
}
