import { EventEmitter } from 'node:events';
import { CONTROL, type Message } from '../../ipc/message.js';
import type { SendFailure } from '../spawn/child_handle.js';
import type { ManagedChild } from '../supervise/managed_child.js';
import type { Supervisor } from '../supervise/supervisor.js';
import type { MasterLog } from './master_log.js';

type Sender = 'app' | 'agent' | 'parent' | 'master';

const REASON = {
  gone: 'its receiver has gone',
  full: 'its receiver does not read: the queue is full',
  nobody: 'no process has this pid',
  agentless: 'there is no Agent at the moment',
  workerless: 'no app worker is ready',
} as const;

type Failure = keyof typeof REASON;

interface Events {
  /** For the Master itself. */
  message: [message: Message];
  /** So much waits for a process that messages to it are dropped. */
  queueFull: [receiver: ManagedChild];
}

/** Passes messages on between parent, Master, Agent and app workers. */
export class Relay extends EventEmitter<Events> {
  readonly #agents: Supervisor;
  readonly #workers: Supervisor;
  readonly #log: MasterLog;
  /** Those whose queue is full, and the senders that know: each is told once until it is read again. */
  readonly #full = new Map<ManagedChild, Set<number | undefined>>();

  constructor(agents: Supervisor, workers: Supervisor, log: MasterLog) {
    super();
    this.#agents = agents;
    this.#workers = workers;
    this.#log = log;
  }

  /** Routes what a process has sent; without `to` it goes to the other side. */
  route(given: unknown, from: Sender, sender?: ManagedChild): void {
    // Node's own convention for plain strings, taken over from Egg: the text is action and data.
    const message = (typeof given === 'string' ? { action: given, data: given } : given) as Message | null;
    if (typeof message?.action !== 'string') return;
    this.send({ ...message, from, ...(sender ? { senderPid: sender.id } : {}) });
  }

  send(message: Message): void {
    const to = message.receiverPid === undefined ? (message.to ?? this.#otherSide(message.from)) : 'pid';
    if (to === 'pid') this.#toPid(message);
    else if (to === 'agent') this.#toAgent(message);
    else if (to === 'app' && message.one) this.#toOneWorker(message);
    else if (to === 'app') this.#toWorkers(message);
    else if (to === 'parent') this.#toParent(message);
    else if (to === 'master') this.emit('message', message);
  }

  #otherSide(from: string | undefined): string {
    if (from === 'parent') return 'master';
    return from === 'app' ? 'agent' : 'app';
  }

  #find(id: number): ManagedChild | undefined {
    return this.#workers.find(id) ?? this.#agents.find(id);
  }

  #toPid(message: Message): void {
    const id = Number(message.receiverPid);
    const receiver = this.#find(id);
    if (receiver) this.#post(receiver, message);
    else if (id === process.pid) this.emit('message', message);
    else this.#fail(message, 'nobody');
  }

  #toAgent(message: Message): void {
    const agent = this.#agents.current;
    if (agent) this.#post(agent, message);
    else this.#fail(message, 'agentless');
  }

  #toOneWorker(message: Message): void {
    const { ready } = this.#workers;
    const worker = ready[Math.floor(Math.random() * ready.length)];
    if (worker) this.#post(worker, message);
    else this.#fail(message, 'workerless');
  }

  /** To all that are there: one that is just leaving is none of them. */
  #toWorkers(message: Message): void {
    for (const worker of this.#workers.all) {
      const failure = worker.handle.send(message);
      if (failure !== 'gone') this.#settle(worker, message, failure);
    }
  }

  #toParent(message: Message): void {
    if (process.send && process.connected) process.send(message, undefined, {}, () => undefined);
  }

  #post(receiver: ManagedChild, message: Message): void {
    this.#settle(receiver, message, receiver.handle.send(message));
  }

  #settle(receiver: ManagedChild, message: Message, failure: SendFailure): void {
    if (failure !== 'full') {
      this.#full.delete(receiver);
      if (failure) this.#fail(message, failure);
      return;
    }
    const told = this.#full.get(receiver) ?? new Set();
    if (told.size === 0) {
      this.#full.set(receiver, told);
      receiver.handle.once('exit', () => this.#full.delete(receiver));
      this.#log.error(`pid ${receiver.id} does not read its messages: from now on they are dropped`);
      this.emit('queueFull', receiver);
    }
    // A flood that nobody reads must not become a flood of errors; one who waits for an answer is told each time.
    if (!told.has(message.senderPid) || message.action === CONTROL.request) this.#fail(message, failure);
    told.add(message.senderPid);
  }

  /** Tells the sender; what it has sent is not lost without a word. */
  #fail(message: Message, failure: Failure): void {
    const { action, senderPid, data } = message;
    // The one that waited for this answer has gone.
    if (action === CONTROL.response || action === CONTROL.undelivered) return;
    const request = action === CONTROL.request ? (data as { id?: unknown; action?: unknown } | undefined) : undefined;
    const told = String(request?.action ?? action);
    const sender = senderPid === undefined ? undefined : this.#find(senderPid);
    if (!sender) {
      this.#log.error(`message "${told}" from ${message.from} is not delivered: ${REASON[failure]}`);
      return;
    }
    sender.handle.send({
      action: CONTROL.undelivered,
      data: { action: told, reason: REASON[failure], id: request?.id },
      from: 'master',
    });
  }
}
