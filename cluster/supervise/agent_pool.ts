import { fork } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { ErrorData } from '../../ipc/error_data.js';
import { CONTROL, type Message } from '../../ipc/message.js';
import type { ProcessStats } from '../protocol/protocol.js';
import { type Child, ProcessChild, ThreadChild } from '../spawn/child_handle.js';
import { threadExecArgv } from '../spawn/exec_argv.js';
import { killedFromOutside } from './backoff.js';
import { ManagedChild } from './managed_child.js';
import { Slot } from './slot.js';
import type { ChildSettings } from './worker_pool.js';

const ENTRY = fileURLToPath(new URL('../worker/agent_worker.js', import.meta.url));

interface Events {
  forked: [agent: ManagedChild];
  message: [message: Message, agent: ManagedChild];
  ready: [agent: ManagedChild];
  /** The Agent is gone; `delay` is the time until the next one, in milliseconds. */
  died: [agent: ManagedChild, reason: string, delay: number];
}

/** Forks the Agent and its replacements. There is one in use at a time; a reload has the next one boot beside it. */
export class AgentPool extends EventEmitter<Events> {
  readonly slot = new Slot(0);
  readonly #settings: ChildSettings;
  readonly #agents = new Set<ManagedChild>();
  #current: ManagedChild | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closing = false;

  constructor(settings: ChildSettings) {
    super();
    this.#settings = settings;
  }

  /** The Agent that is ready. */
  get current(): ManagedChild | undefined {
    return this.#current;
  }

  get all(): ManagedChild[] {
    return [...this.#agents];
  }

  find(id: number): ManagedChild | undefined {
    for (const agent of this.#agents) if (agent.id === id) return agent;
    return undefined;
  }

  /** Forks the first Agent, whose death ends the boot; later ones are replaced. */
  start(): void {
    this.#supervise(this.#fork('starting'));
  }

  /**
   * Has a new Agent take over.
   *
   * @throws its error when it does not boot; the old one stays then
   */
  replace(): Promise<void> {
    const agent = this.#fork('candidate');
    return new Promise((resolve, reject) => {
      const onReady = (ready: ManagedChild): void => {
        if (ready !== agent) return;
        this.off('ready', onReady);
        resolve();
      };
      this.on('ready', onReady);
      agent.child.once('exit', (code, signal) => {
        this.off('ready', onReady);
        reject(new Error(agent.exitReason(code, signal)));
      });
    });
  }

  #fork(state: 'starting' | 'candidate'): ManagedChild {
    const { prepare, boot, complete } = this.#settings;
    const agent = new ManagedChild(this.#forkChild(), this.slot, state);
    const { child } = agent;
    this.#agents.add(agent);
    child.on('message', (message) => this.#onMessage(agent, message));
    child.on('error', (error) => {
      agent.failure ??= error;
    });
    child.once('exit', () => this.#agents.delete(agent));
    child.send({ action: CONTROL.prepare, data: prepare });
    void complete.then(() => {
      child.send({ action: CONTROL.boot, data: boot });
      agent.lastBeat = Date.now();
    });
    this.emit('forked', agent);
    return agent;
  }

  #forkChild(): Child {
    const { boot, execArgv } = this.#settings;
    if (boot.options.startMode === 'worker_threads') {
      return new ThreadChild(new Worker(ENTRY, { execArgv: threadExecArgv(execArgv) }));
    }
    return new ProcessChild(fork(ENTRY, { execArgv }));
  }

  #onMessage(agent: ManagedChild, message: Message): void {
    if (message.action === CONTROL.stats) agent.beat(message.data as ProcessStats);
    else if (message.action === CONTROL.bootError) agent.failure = message.data as ErrorData;
    else if (message.action === 'agent-start') this.#onReady(agent);
    else this.emit('message', message, agent);
  }

  #onReady(agent: ManagedChild): void {
    // The same action from code of the app means nothing.
    if (this.#closing || (agent.state !== 'starting' && agent.state !== 'candidate')) return;
    const previous = this.#current;
    if (agent.state === 'candidate') this.#supervise(agent);
    agent.state = 'ready';
    this.#current = agent;
    clearTimeout(this.#timer);
    if (previous) this.#retire(previous);
    this.emit('ready', agent);
  }

  #retire(agent: ManagedChild): void {
    agent.state = 'draining';
    void agent.child.terminate(this.#settings.boot.closeTimeout);
  }

  /** From now on its death is answered with another Agent. */
  #supervise(agent: ManagedChild): void {
    agent.child.once('exit', (code, signal) => {
      if (this.#current === agent) this.#current = undefined;
      if (agent.state === 'draining') return;
      const reason = agent.exitReason(code, signal);
      this.slot.lastExit = reason;
      this.slot.restarts += 1;
      if (this.#closing) return;
      const outside = agent.state === 'ready' && killedFromOutside(signal) && !agent.killReason;
      const delay = outside ? 0 : this.slot.backoff.delayAfter(Date.now() - agent.child.spawnedAt);
      this.emit('died', agent, reason, delay);
      this.#timer = setTimeout(() => {
        if (!this.#closing && !this.#current) this.#supervise(this.#fork('starting'));
      }, delay);
    });
  }

  /** From now on an Agent that dies stays dead. */
  stopReplacing(): void {
    this.#closing = true;
    clearTimeout(this.#timer);
  }

  /** Ends every Agent. */
  async close(): Promise<void> {
    this.stopReplacing();
    const { closeTimeout } = this.#settings.boot;
    await Promise.all(this.all.map(({ child }) => child.terminate(closeTimeout)));
  }
}
