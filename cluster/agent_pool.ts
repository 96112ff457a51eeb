import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Backoff } from './backoff.js';
import type { BootData, ErrorData, Message, PrepareData } from './protocol.js';
import { CONTROL } from './protocol.js';
import { terminate } from './terminate.js';

const ENTRY = fileURLToPath(new URL('agent_worker.js', import.meta.url));

interface Events {
  message: [message: Message, agent: ChildProcess];
  ready: [agent: ChildProcess];
  /** The Agent in use is gone; `delay` is the time until the next one, in milliseconds. */
  died: [agent: ChildProcess, reason: string, delay: number];
}

export interface ChildSettings {
  prepare: PrepareData;
  boot: BootData;
  execArgv: string[];
}

/** Forks the Agent and its replacements. There is one in use at a time; a reload has the next one boot beside it. */
export class AgentPool extends EventEmitter<Events> {
  readonly #settings: ChildSettings;
  readonly #backoff = new Backoff();
  readonly #children = new Set<ChildProcess>();
  #current: ChildProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closing = false;

  constructor(settings: ChildSettings) {
    super();
    this.#settings = settings;
  }

  /** The Agent that is ready. */
  get current(): ChildProcess | undefined {
    return this.#current;
  }

  /** @returns a promise that rejects when this Agent dies before it is ready */
  start(): Promise<ChildProcess> {
    const { prepare, boot, execArgv } = this.#settings;
    const child = fork(ENTRY, { execArgv });
    const born = Date.now();
    this.#children.add(child);
    let failure: ErrorData | undefined;
    return new Promise((resolve, reject) => {
      child.on('message', (message: Message) => {
        if (message.action === CONTROL.hello) {
          child.send({ action: CONTROL.prepare, data: prepare }, () => undefined);
          child.send({ action: CONTROL.boot, data: boot }, () => undefined);
        } else if (message.action === CONTROL.bootError) failure = message.data as ErrorData;
        else if (message.action === 'agent-start') this.#onReady(child, resolve);
        else this.emit('message', message, child);
      });
      child.once('error', (error) => reject(error));
      child.once('exit', (code, signal) => {
        this.#children.delete(child);
        const reason = failure?.stack ?? `exited with code ${code}, signal ${signal}`;
        reject(Object.assign(new Error(reason), { code: failure?.code }));
        if (this.#current === child) this.#onDeath(child, reason, Date.now() - born);
      });
    });
  }

  #onReady(child: ChildProcess, resolve: (child: ChildProcess) => void): void {
    const previous = this.#current;
    this.#current = child;
    if (previous) void terminate(previous, this.#settings.boot.closeTimeout);
    resolve(child);
    this.emit('ready', child);
  }

  #onDeath(child: ChildProcess, reason: string, life: number): void {
    this.#current = undefined;
    if (this.#closing) return;
    const delay = this.#backoff.delayAfter(life);
    this.emit('died', child, reason, delay);
    this.#restartAfter(delay);
  }

  /** An Agent that fails to boot once the cluster is up is tried again, ever more slowly. */
  #restartAfter(delay: number): void {
    this.#timer = setTimeout(() => {
      const born = Date.now();
      this.start().catch((error: Error) => {
        if (this.#closing || this.#current) return;
        const next = this.#backoff.delayAfter(Date.now() - born);
        this.emit('died', undefined as never, error.message, next);
        this.#restartAfter(next);
      });
    }, delay);
  }

  /** From now on an Agent that dies stays dead. */
  stopReplacing(): void {
    this.#closing = true;
    clearTimeout(this.#timer);
  }

  /** Ends every Agent. */
  async close(): Promise<void> {
    this.stopReplacing();
    await Promise.all([...this.#children].map((child) => terminate(child, this.#settings.boot.closeTimeout)));
  }
}
