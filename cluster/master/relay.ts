import { EventEmitter } from 'node:events';
import { debuglog } from 'node:util';
import {
  CONTROL,
  type ControlMessage,
  type Envelope,
  isControl,
  isReserved,
  type Message,
  nameOf,
} from '../../ipc/message.js';
import type { UndeliveredReport } from '../../ipc/requests.js';
import { MessageCounts } from '../metrics/message_counts.js';
import type { SendFailure } from '../spawn/child_handle.js';
import type { ManagedChild } from '../supervise/managed_child.js';
import type { Supervisor } from '../supervise/supervisor.js';
import type { MasterLog } from './master_log.js';

const debug = debuglog('clutch:ipc');

type Sender = 'app' | 'agent' | 'parent' | 'master';

const REASON = {
  gone: 'its receiver has gone',
  full: 'its receiver does not read: the queue is full',
  nobody: 'no process has this pid',
  agentless: 'there is no Agent at the moment',
  workerless: 'no app worker is ready',
  dropped: 'the reply was dropped: this process did not read its messages',
  died: 'its receiver has ended without a reply',
  reserved: 'its name is reserved for Clutch',
} as const;

type Failure = keyof typeof REASON;

/** The request may have been handled. */
const ARRIVED: readonly Failure[] = ['dropped', 'died'];

/** How many requests to one process are remembered while it has not replied. */
const PENDING_LIMIT = 10_000;

/** What of the runtime goes from one process of the app to another. */
const BETWEEN_PROCESSES: string[] = [CONTROL.request, CONTROL.reply, CONTROL.chunk, CONTROL.credit, CONTROL.cancel];

interface Events {
  /** For the Master itself. */
  message: [message: Message];
  /** The reply to a request of the Master, or why there is none. */
  control: [message: ControlMessage];
  /** A process does not read: messages to it are dropped. */
  queueFull: [receiver: ManagedChild];
}

/** Passes messages on between parent, Master, Agent and app workers. */
export class Relay extends EventEmitter<Events> {
  readonly #agents: Supervisor;
  readonly #workers: Supervisor;
  readonly #log: MasterLog;
  /** Receivers whose queue is full, and the senders that were notified: each once, until the receiver reads again. */
  readonly #full = new Map<ManagedChild, Set<number | undefined>>();
  /** Messages of the Master, of its parent and of processes that have ended, that could not be delivered. */
  undeliveredMessages = 0;
  readonly counts = new MessageCounts();
  /** Requests that a process has got and not replied to, by their ids. */
  readonly #pending = new Map<ManagedChild, Map<string, Envelope>>();
  /** Processes whose end cancels what they wait for. */
  readonly #watched = new WeakSet<ManagedChild>();
  /** What each process waits for in vain since its queue was full, by the ids of its requests. */
  readonly #lost = new Map<ManagedChild, Set<string>>();

  constructor(agents: Supervisor, workers: Supervisor, log: MasterLog) {
    super();
    this.#agents = agents;
    this.#workers = workers;
    this.#log = log;
  }

  /** Requests to which a process has not replied. */
  get pendingRequests(): number {
    let count = 0;
    for (const { size } of this.#pending.values()) count += size;
    return count;
  }

  /** Routes what a process has sent; without `to` it goes to the other side. */
  route(envelope: Envelope, from: Sender, sender?: ManagedChild): void {
    const sent: Envelope = { ...envelope, from, ...(sender ? { senderPid: sender.id } : {}) };
    if (isControl(sent)) {
      // Requests and replies are between processes of the app; everything else is for the Master, or from it.
      if (sent.clutch === CONTROL.reply && sender) this.#pending.get(sender)?.delete(idOf(sent));
      if (BETWEEN_PROCESSES.includes(sent.clutch)) this.send(sent);
    } else if (isReserved(sent.action)) {
      this.#fail(sent, 'reserved');
    } else {
      this.send(sent);
    }
  }

  send(message: Envelope): void {
    if (isControl(message) && (message.clutch === CONTROL.credit || message.clutch === CONTROL.cancel)) {
      this.#toHandler(message);
      return;
    }
    const to = message.receiverPid === undefined ? (message.to ?? this.#otherSide(message.from)) : 'pid';
    if (to === 'pid') this.#toPid(message);
    else if (to === 'agent') this.#toAgent(message);
    else if (to === 'app' && message.one) this.#toOneWorker(message);
    else if (to === 'app') this.#toWorkers(message);
    else if (to === 'parent') this.#toParent(message);
    else if (to === 'master') this.#toMaster(message);
    if (!isControl(message) || message.clutch === CONTROL.request) {
      this.counts.count(nameOf(message), message.from ?? 'master', to === 'pid' ? this.#kindOf(message) : to);
    }
  }

  #kindOf({ receiverPid }: Envelope): string {
    const id = Number(receiverPid);
    if (id === process.pid) return 'master';
    return this.#agents.find(id) ? 'agent' : 'app';
  }

  #otherSide(from: string | undefined): string {
    if (from === 'parent') return 'master';
    return from === 'app' ? 'agent' : 'app';
  }

  #find(id: number): ManagedChild | undefined {
    return this.#workers.find(id) ?? this.#agents.find(id);
  }

  #toPid(message: Envelope): void {
    const id = Number(message.receiverPid);
    const receiver = this.#find(id);
    if (receiver) this.#post(receiver, message);
    else if (id === process.pid) this.#toMaster(message);
    else this.#fail(message, 'nobody');
  }

  /** To the process that works on a request of the sender. */
  #toHandler(message: ControlMessage): void {
    const id = idOf(message);
    for (const [receiver, pending] of this.#pending) {
      if (pending.get(id)?.senderPid !== message.senderPid) continue;
      if (message.clutch === CONTROL.cancel) pending.delete(id);
      receiver.handle.send(message);
      return;
    }
  }

  /** A process has ended: nobody waits for the replies to its requests any more. */
  #cancelRequestsOf(senderPid: number): void {
    for (const [receiver, pending] of this.#pending) {
      for (const [id, request] of pending) {
        if (request.senderPid !== senderPid) continue;
        pending.delete(id);
        receiver.handle.send({ clutch: CONTROL.cancel, data: { id }, from: 'master' });
      }
    }
  }

  #toMaster(message: Envelope): void {
    if (!isControl(message)) this.emit('message', message);
    else if (message.clutch === CONTROL.reply) this.emit('control', message);
  }

  #toAgent(message: Envelope): void {
    const agent = this.#agents.current;
    if (agent) this.#post(agent, message);
    else this.#fail(message, 'agentless');
  }

  #toOneWorker(message: Envelope): void {
    const { ready } = this.#workers;
    const worker = ready[Math.floor(Math.random() * ready.length)];
    if (worker) this.#post(worker, message);
    else this.#fail(message, 'workerless');
  }

  /** Sends to every live worker; skips one that has disconnected. */
  #toWorkers(message: Envelope): void {
    for (const worker of this.#workers.all) {
      const failure = worker.handle.send(message);
      if (failure !== 'gone') this.#settle(worker, message, failure);
    }
  }

  #toParent(message: Envelope): void {
    if (process.send && process.connected) process.send(message, undefined, {}, () => undefined);
  }

  #post(receiver: ManagedChild, message: Envelope): void {
    this.#settle(receiver, message, receiver.handle.send(message));
  }

  #settle(receiver: ManagedChild, message: Envelope, failure: SendFailure): void {
    if (failure !== 'full') {
      this.#full.delete(receiver);
      if (failure) this.#fail(message, failure);
      else if (isControl(message) && message.clutch === CONTROL.request) this.#remember(receiver, message);
      return;
    }
    const notified = this.#full.get(receiver) ?? new Set();
    if (notified.size === 0) {
      this.#full.set(receiver, notified);
      receiver.handle.once('exit', () => this.#full.delete(receiver));
      this.#log.error(`pid ${receiver.id} does not read its messages: from now on they are dropped`);
      this.emit('queueFull', receiver);
    }
    if (isControl(message)) this.#lose(receiver, message);
    // Each sender is notified once, so that a flood of messages causes no flood of errors; a request always is.
    if (!notified.has(message.senderPid) || isControl(message)) this.#fail(message, failure);
    else this.#count(message, failure);
    notified.add(message.senderPid);
  }

  /** A reply or a value of a stream is dropped: the one that waits for it hears of it when it reads again, the other at once. */
  #lose(receiver: ManagedChild, { clutch, data, senderPid }: ControlMessage): void {
    if (clutch !== CONTROL.reply && clutch !== CONTROL.chunk) return;
    const { id } = data as { id: string };
    const sender = senderPid === undefined ? undefined : this.#find(senderPid);
    if (sender && clutch === CONTROL.chunk) {
      this.#pending.get(sender)?.delete(id);
      sender.handle.send({ clutch: CONTROL.cancel, data: { id }, from: 'master' });
    }
    let lost = this.#lost.get(receiver);
    if (!lost) {
      lost = new Set();
      this.#lost.set(receiver, lost);
      receiver.handle.once('drain', () => {
        this.#lost.delete(receiver);
        for (const each of lost ?? []) {
          const report: UndeliveredReport = { action: '', reason: REASON.dropped, id: each, arrived: true };
          receiver.handle.send({ clutch: CONTROL.undelivered, data: report, from: 'master' });
        }
      });
    }
    if (lost.size < PENDING_LIMIT) lost.add(id);
  }

  /** Has the sender of a request notified as soon as no reply can come. */
  #remember(receiver: ManagedChild, request: Envelope): void {
    let pending = this.#pending.get(receiver);
    if (!pending) {
      pending = new Map();
      this.#pending.set(receiver, pending);
      receiver.handle.once('disconnect', () => {
        for (const unanswered of this.#pending.get(receiver)?.values() ?? []) this.#fail(unanswered, 'died');
        this.#pending.delete(receiver);
      });
    }
    const { id, action, window } = request.data as { id: string; action: string; window?: number };
    // Not the whole request: its data may be large.
    pending.set(id, { ...request, data: { id, action, window } });
    this.#watchSender(request.senderPid);
    if (pending.size <= PENDING_LIMIT) return;
    const [oldest] = pending.keys();
    pending.delete(oldest as string);
  }

  #watchSender(senderPid: number | undefined): void {
    const sender = senderPid === undefined ? undefined : this.#find(senderPid);
    if (!sender || this.#watched.has(sender)) return;
    this.#watched.add(sender);
    sender.handle.once('disconnect', () => this.#cancelRequestsOf(sender.id));
  }

  #count(message: Envelope, failure: Failure): void {
    const { senderPid, from = 'master' } = message;
    this.counts.countUndelivered({ action: nameOf(message), from, failure, reason: REASON[failure] });
    const sender = senderPid === undefined ? undefined : this.#find(senderPid);
    (sender ?? this).undeliveredMessages += 1;
  }

  /** Notifies the sender of what could not be delivered. */
  #fail(message: Envelope, failure: Failure): void {
    const { senderPid } = message;
    // Whoever waited for a reply has gone.
    if (isControl(message) && message.clutch !== CONTROL.request) return;
    this.#count(message, failure);
    const name = nameOf(message);
    const id = isControl(message) ? idOf(message) : undefined;
    const data: UndeliveredReport = { action: name, reason: REASON[failure], id, arrived: ARRIVED.includes(failure) };
    const report = { clutch: CONTROL.undelivered, data, from: 'master' };
    if (id !== undefined && senderPid === process.pid) {
      this.emit('control', report);
      return;
    }
    debug('message "%s" from %s %d is not delivered: %s', name, message.from, senderPid, REASON[failure]);
    const sender = senderPid === undefined ? undefined : this.#find(senderPid);
    if (!sender) {
      this.#log.error(`message "${name}" from ${message.from} is not delivered: ${REASON[failure]}`);
      return;
    }
    sender.handle.send(report);
  }
}

function idOf({ data }: ControlMessage): string {
  return (data as { id: string }).id;
}
