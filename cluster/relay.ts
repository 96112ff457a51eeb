import type { AgentPool } from './agent_pool.js';
import type { SendFailure } from './child_handle.js';
import type { MasterLog } from './master_log.js';
import type { Message } from './protocol.js';
import type { WorkerPool } from './worker_pool.js';

type Sender = 'app' | 'agent' | 'parent' | 'master';

/** Passes messages on between parent, Master, Agent and app workers. */
export class Relay {
  readonly #agents: AgentPool;
  readonly #workers: WorkerPool;
  readonly #log: MasterLog;

  constructor(agents: AgentPool, workers: WorkerPool, log: MasterLog) {
    this.#agents = agents;
    this.#workers = workers;
    this.#log = log;
  }

  /** Routes what a process has sent; without `to` it goes to the other side. */
  route(given: unknown, from: Sender): void {
    // Node's own convention for plain strings, taken over from Egg: the text is action and data.
    const message = (typeof given === 'string' ? { action: given, data: given } : given) as Message | null;
    if (typeof message?.action !== 'string') return;
    this.send({ ...message, from });
  }

  send(message: Message): void {
    if (message.receiverPid !== undefined) this.#toPid(message);
    else if (message.to === 'parent') this.#toParent(message);
    else if ((message.to ?? this.#otherSide(message.from)) === 'agent') this.#toAgent(message);
    else if (message.to === 'app' || message.to === undefined) this.#toWorkers(message);
  }

  #otherSide(from: string | undefined): string {
    return from === 'app' ? 'agent' : 'app';
  }

  #toPid(message: Message): void {
    const id = Number(message.receiverPid);
    const receiver = [...this.#workers.all, ...this.#agents.all].find((candidate) => candidate.id === id);
    if (receiver) this.#report(message, receiver.child.send(message));
    else this.#report(message, `no process has pid ${message.receiverPid}`);
  }

  #toAgent(message: Message): void {
    const agent = this.#agents.current;
    if (agent) this.#report(message, agent.child.send(message));
    else this.#report(message, 'there is no Agent at the moment');
  }

  #toWorkers(message: Message): void {
    for (const { child } of this.#workers.all) this.#report(message, child.send(message));
  }

  #toParent(message: Message): void {
    if (process.send && process.connected) process.send(message, undefined, {}, () => undefined);
  }

  #report(message: Message, failure: SendFailure): void {
    if (failure) this.#log.error(`message "${message.action}" from ${message.from} is not delivered: ${failure}`);
  }
}
