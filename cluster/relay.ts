import type { ChildProcess } from 'node:child_process';
import type { AgentPool } from './agent_pool.js';
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
    const pid = Number(message.receiverPid);
    const info = this.#workers.all.find((candidate) => candidate.pid === pid);
    if (info) this.#workers.post(info, message);
    else if (this.#agents.current?.pid === pid) this.#postToAgent(this.#agents.current, message);
    else this.#log.error(`message "${message.action}" from ${message.from}: no process has pid ${message.receiverPid}`);
  }

  #toAgent(message: Message): void {
    const agent = this.#agents.current;
    if (agent) this.#postToAgent(agent, message);
    else this.#log.error(`message "${message.action}" from ${message.from}: there is no Agent at the moment`);
  }

  #toWorkers(message: Message): void {
    for (const info of this.#workers.all) this.#workers.post(info, message);
  }

  #toParent(message: Message): void {
    if (process.send && process.connected) process.send(message, undefined, {}, () => undefined);
  }

  #postToAgent(agent: ChildProcess, message: Message): void {
    if (agent.connected) agent.send(message, undefined, undefined, () => undefined);
  }
}
