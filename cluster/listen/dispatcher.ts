import type { ChildProcess, SendHandle } from 'node:child_process';
import type { Worker } from 'node:cluster';
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { debuglog } from 'node:util';
import type { WorkerLoad } from '../protocol/protocol.js';
import { type Candidate, type ChooseWorker, nextFree } from './choose_worker.js';
import { closeKeepingFile, InheritedSockets, type ListeningSocket } from './inherited_sockets.js';
import {
  type ConnectionHandle,
  closeListenHandle,
  interceptListening,
  type ListenHandle,
  type ListenInterceptor,
  newConnection,
  onNotReceived,
  watchWorker,
} from './node_cluster.js';

const debug = debuglog('clutch:listen');

/** Milliseconds until a connection that every worker has refused is offered again, and how often it is. */
const REFUSED_PAUSE = 100;
const REFUSED_ROUNDS = 10;

/** Milliseconds that workers get to take what was accepted before the sockets are released, and between two looks. */
const RELEASE_LIMIT = 2000;
const RELEASE_PAUSE = 5;

/** A connection that the Master has accepted and no worker has taken yet. */
interface Connection {
  readonly handle: ConnectionHandle;
  /** Whether it was sent to a worker that went away, and that may have read from it. */
  redispatched: boolean;
  refusedBy: Set<Peer> | undefined;
  rounds: number;
}

/** A worker process. */
interface Peer extends Candidate {
  readonly worker: Worker;
  readonly child: ChildProcess;
  readonly onSent: (error: Error | null) => void;
  /** Connections that were sent and not replied to. */
  readonly sent: Map<number, { address: Address; connection: Connection }>;
  /** Whether its event loop stands still: what waits goes to the others. */
  isPaused: boolean;
}

/**
 * `binding` → `open` → `closed`, and `open` → `parked` → `binding` while there is no worker.
 * A parked socket is open and its connections wait. A socket that is `released` is closed here and another Master accepts on
 * it; what was accepted before is still sent.
 */
type AddressState = 'binding' | 'open' | 'parked' | 'released' | 'closed';

/** A listening socket of the Master and the workers that serve it. */
interface Address {
  readonly key: string;
  /** Host or path, as the worker has asked for it. */
  readonly address: string;
  /** Below 0 for a unix socket. */
  readonly port: number;
  inherited: ListeningSocket | undefined;
  /** A port that the system chooses has no next worker to wait for. */
  readonly parks: boolean;
  state: AddressState;
  handle: ListenHandle | undefined;
  /** Workers that listen as soon as the socket is bound. */
  readonly wanting: Set<Peer>;
  readonly peers: Set<Peer>;
  /** Those of them that have replied to all they got; the first one is next. */
  readonly free: Set<Peer>;
  readonly queue: Connection[];
}

/**
 * Distributes the connections that the Master accepts among the workers, in place of Node's own round robin.
 *
 * Node's loses a connection when its worker closes the server or the channel before it takes the connection, and closes
 * the listening socket with the last worker. Here a connection belongs to the Master until a worker has acknowledged it: when
 * that worker refuses it or goes away it is sent to another one, and it waits while there is none. The socket of an address
 * without workers is parked: it stays open, and the next worker to listen there gets it with all that waits.
 */
export class Dispatcher {
  readonly #addresses = new Map<string, Address>();
  readonly #peers = new Map<Worker, Peer>();
  readonly #stopIntercepting: () => void;
  readonly #inherited: InheritedSockets;
  /** The address for which Node opens a socket in this tick. */
  #querying: Address | undefined;
  #lastSeq = 0;
  readonly #choose: ChooseWorker;
  #closing = false;

  constructor(inherited = new InheritedSockets(), choose: ChooseWorker = nextFree) {
    this.#inherited = inherited;
    this.#choose = choose;
    this.#stopIntercepting = interceptListening({ onListen: () => this.#onListen() });
  }

  #onListen(): ReturnType<ListenInterceptor['onListen']> {
    const address = this.#querying;
    if (!address) return undefined;
    const reuse = address.state === 'parked' ? address.handle : undefined;
    address.state = 'binding';
    if (!reuse) address.inherited = this.#inherited.take(address.address, portOf(address));
    return { reuse, fd: address.inherited?.fd, onBound: (handle) => this.#onBound(address, handle) };
  }

  /** Watches a worker that was just forked. */
  add(worker: Worker): void {
    const child = worker.process;
    const gone = (): void => this.#onGone(peer);
    const onSent = (error: Error | null): void => {
      if (error) gone();
    };
    const peer: Peer = {
      worker,
      child,
      onSent,
      sent: new Map(),
      load: { inFlight: 0, loopDelay: 0 },
      takenSince: 0,
      isPaused: false,
    };
    this.#peers.set(worker, peer);
    watchWorker(child, {
      onQuery: (key, address, port) => this.#onQuery(peer, key, address, port),
      onClosed: (key) => this.#removePeer(peer, this.#addresses.get(key)),
      onReply: (seq, accepted) => this.#onReply(peer, seq, accepted),
    });
    onNotReceived(child, () => {
      const [seq] = peer.sent.keys();
      if (seq !== undefined) this.#onReply(peer, seq, false);
    });
    // What it has replied is read before `disconnect`. Node leaves that event out while a handle is on its way: then
    // `close` comes with the end of the process.
    child.once('disconnect', gone);
    child.once('close', gone);
    child.once('exit', () => {
      if (!child.connected) gone();
    });
  }

  /** What the worker has taken before is part of what it reports: both come on one channel, in order. */
  setLoad(worker: Worker, load: WorkerLoad): void {
    const peer = this.#peers.get(worker);
    if (!peer) return;
    peer.load = load;
    peer.takenSince = 0;
  }

  /** Sends a worker no connections while its event loop stands still. */
  setPaused(worker: Worker, isPaused: boolean): void {
    const peer = this.#peers.get(worker);
    if (!peer) return;
    peer.isPaused = isPaused;
    const busy = new Set([...peer.sent.values()].map(({ address }) => address));
    for (const address of this.#addresses.values()) {
      if (isPaused) address.free.delete(peer);
      else if (address.peers.has(peer) && !busy.has(address)) address.free.add(peer);
      this.#send(address);
    }
  }

  /** Sends a worker no more connections: it is about to close its servers. */
  remove(worker: Worker): void {
    const peer = this.#peers.get(worker);
    if (peer) for (const address of this.#addresses.values()) this.#removePeer(peer, address);
  }

  #onQuery(peer: Peer, key: string, wanted: string, port: number): void {
    // Node does not reply to it either.
    if (peer.worker.exitedAfterDisconnect) return;
    const address: Address = this.#addresses.get(key) ?? {
      key,
      address: wanted,
      port,
      inherited: undefined,
      parks: port !== 0,
      state: 'binding',
      handle: undefined,
      wanting: new Set(),
      peers: new Set(),
      free: new Set(),
      queue: [],
    };
    this.#addresses.set(key, address);
    this.#querying = address;
    address.wanting.add(peer);
    // By then Node has replied, when the socket is bound.
    process.nextTick(() => {
      this.#querying = undefined;
      if (address.state === 'open') this.#addWanting(address);
    });
  }

  #onBound(address: Address, handle: ListenHandle): void {
    debug('%s is bound', address.key);
    address.handle = handle;
    handle.close = (callback) => {
      if (address.state === 'released') return;
      if (address.parks && !this.#closing) {
        debug('%s is parked', address.key);
        address.state = 'parked';
        return;
      }
      address.state = 'closed';
      this.#addresses.delete(address.key);
      closeAll(address.queue);
      closeListenHandle(handle, callback);
      if (address.inherited?.removesFile && address.port < 0) rmSync(address.address, { force: true });
    };
    // The round robin has put its own onconnection in place by then, and has replied to the workers.
    process.nextTick(() => {
      handle.onconnection = (status, connection) => {
        if (status !== 0) return;
        address.queue.push({ handle: connection, redispatched: false, refusedBy: undefined, rounds: 0 });
        this.#send(address);
      };
      address.state = 'open';
      this.#addWanting(address);
    });
  }

  /** The sockets that another process can go on serving. */
  get sockets(): ListeningSocket[] {
    return [...this.#addresses.values()].flatMap(({ address, port, handle, parks, inherited }) => {
      const fd = handle?.fd ?? -1;
      if (fd < 0 || !parks) return [];
      return [{ fd, address, port: portOf({ port }), removesFile: inherited?.removesFile ?? true }];
    });
  }

  /** Stops accepting, for another process that does; resolves when workers have taken what was accepted. */
  async release(): Promise<void> {
    for (const address of this.#addresses.values()) {
      const { handle, port, address: file } = address;
      if (!handle) continue;
      address.state = 'released';
      if (port < 0) closeKeepingFile(file, () => closeListenHandle(handle));
      else closeListenHandle(handle);
    }
    const deadline = Date.now() + RELEASE_LIMIT;
    while (this.waiting > 0 && Date.now() < deadline) await sleep(RELEASE_PAUSE);
  }

  /** How many connections were accepted and no worker has taken. */
  get waiting(): number {
    let count = 0;
    for (const { queue } of this.#addresses.values()) count += queue.length;
    for (const { sent } of this.#peers.values()) count += sent.size;
    return count;
  }

  #addWanting(address: Address): void {
    for (const peer of address.wanting) {
      if (!peer.child.connected) continue;
      address.peers.add(peer);
      if (!peer.isPaused) address.free.add(peer);
    }
    address.wanting.clear();
    this.#send(address);
  }

  #removePeer(peer: Peer, address: Address | undefined): void {
    address?.wanting.delete(peer);
    address?.peers.delete(peer);
    address?.free.delete(peer);
  }

  /** Sends what waits to the workers that are free, one connection to each. */
  #send(address: Address): void {
    const { queue, free, key } = address;
    for (let connection = queue[0]; connection; connection = queue[0]) {
      const peer = this.#choose(free, connection.refusedBy);
      if (!peer) return;
      queue.shift();
      free.delete(peer);
      this.#lastSeq -= 1;
      peer.sent.set(this.#lastSeq, { address, connection });
      const message = newConnection(key, this.#lastSeq, connection.redispatched);
      peer.child.send(message, connection.handle as SendHandle, undefined, peer.onSent);
    }
  }

  #onReply(peer: Peer, seq: number, accepted: boolean): void {
    const sent = peer.sent.get(seq);
    if (!sent) return;
    const { address, connection } = sent;
    peer.sent.delete(seq);
    if (address.peers.has(peer) && !peer.isPaused) address.free.add(peer);
    if (accepted) {
      peer.takenSince += 1;
      connection.handle.close();
    } else this.#onRefused(peer, address, connection);
    this.#send(address);
  }

  #onRefused(peer: Peer, address: Address, connection: Connection): void {
    debug('pid %d refuses a connection to %s', peer.child.pid, address.key);
    connection.refusedBy ??= new Set();
    connection.refusedBy.add(peer);
    const { refusedBy } = connection;
    if (address.peers.size === 0 || [...address.peers].some((each) => !refusedBy.has(each))) {
      this.#sendAgain(address, connection);
      return;
    }
    // All of them listen and none takes it, as with `maxConnections`.
    connection.rounds += 1;
    connection.refusedBy = undefined;
    setTimeout(() => {
      if (connection.rounds < REFUSED_ROUNDS) this.#sendAgain(address, connection);
      else connection.handle.close();
    }, REFUSED_PAUSE);
  }

  #sendAgain(address: Address, connection: Connection): void {
    if (this.#closing || address.state === 'closed') {
      connection.handle.close();
      return;
    }
    address.queue.unshift(connection);
    this.#send(address);
  }

  /** Its channel is broken or it has ended: what it has not taken goes to the others. */
  #onGone(peer: Peer): void {
    this.remove(peer.worker);
    this.#peers.delete(peer.worker);
    const undelivered = [...peer.sent.values()];
    peer.sent.clear();
    if (undelivered.length > 0) debug('%d connections were not taken by pid %d', undelivered.length, peer.child.pid);
    for (const { address, connection } of undelivered) {
      connection.redispatched = true;
      this.#sendAgain(address, connection);
    }
  }

  /** From now on a socket closes with its last worker; those that are parked close at once, with all that waits. */
  close(): void {
    this.#closing = true;
    this.#stopIntercepting();
    for (const { queue, state, handle } of [...this.#addresses.values()]) {
      closeAll(queue);
      if (state === 'parked') handle?.close();
    }
  }
}

function portOf({ port }: { port: number }): number | undefined {
  return port < 0 ? undefined : port;
}

function closeAll(queue: Connection[]): void {
  for (const { handle } of queue.splice(0)) handle.close();
}
