import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import type { Worker as Thread } from 'node:worker_threads';
import { CONTROL, type Message } from '../../ipc/message.js';
import { descendants, killAll } from './descendants.js';

/** Bytes that may wait in the Master for one receiver that does not read. */
const QUEUE_LIMIT = 64 * 1024 * 1024;
/** Messages that may wait for one that does not listen yet. */
const EARLY_LIMIT = 10_000;

interface Events {
  message: [message: Message];
  /** The channel is closed: the child has ended, is about to, or has closed it by itself. */
  disconnect: [];
  exit: [code: number | null, signal: string | null];
  error: [error: Error];
}

/** Why a message could not be sent; undefined when it is on its way. */
export type SendFailure = 'gone' | 'full' | undefined;

/** A process or thread that the Master has started: what the Master does with it. */
export abstract class Child extends EventEmitter<Events> {
  /** Its pid, or the id of its thread. */
  abstract readonly id: number;
  /** Milliseconds since the epoch. */
  readonly spawnedAt = Date.now();
  /** Messages that wait until it listens; undefined from then on. */
  #early: Message[] | undefined = [];

  abstract get alive(): boolean;
  abstract kill(): void;
  protected abstract post(message: Message): SendFailure;
  /** Asks it to close; @returns a function that cleans up behind it */
  protected abstract askToClose(): () => void;

  /** Sends a message; one for a child that does not listen yet waits until it does. Never throws. */
  send(message: Message): SendFailure {
    if (!this.#early) return this.post(message);
    if (this.#early.length >= EARLY_LIMIT) return 'full';
    this.#early.push(message);
    return undefined;
  }

  protected receive(message: Message): void {
    if (message?.action === CONTROL.hello) {
      const early = this.#early ?? [];
      this.#early = undefined;
      for (const kept of early) this.post(kept);
    } else if (typeof message === 'string' || typeof message?.action === 'string') {
      this.emit('message', message);
    }
  }

  /**
   * Ends it: asks, and kills when it is still there after `timeout`. Processes that it has started end with it.
   *
   * @param timeout milliseconds
   */
  terminate(timeout: number): Promise<void> {
    if (!this.alive) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.kill(), timeout);
      this.once('exit', () => {
        clearTimeout(timer);
        cleanUp();
        resolve();
      });
      const cleanUp = this.askToClose();
    });
  }
}

/** A forked process. */
export class ProcessChild extends Child {
  readonly id: number;
  readonly #process: ChildProcess;
  /** Bytes that wait for it to read. */
  #queued = 0;

  constructor(process: ChildProcess) {
    super();
    this.#process = process;
    this.id = process.pid ?? -1;
    process.on('message', (message) => this.receive(message as Message));
    process.on('error', (error) => {
      this.emit('error', error);
      // Without a pid it was never started, and Node emits no exit.
      if (process.pid === undefined) this.emit('exit', null, null);
    });
    process.once('disconnect', () => this.emit('disconnect'));
    process.once('exit', (code, signal) => this.emit('exit', code, signal));
  }

  get alive(): boolean {
    const { exitCode, signalCode, pid } = this.#process;
    return exitCode === null && signalCode === null && pid !== undefined;
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  protected post(message: Message): SendFailure {
    if (!this.#process.connected) return 'gone';
    if (this.#queued > QUEUE_LIMIT) return 'full';
    let size = 0;
    const written = (): void => {
      this.#queued -= size;
    };
    // Measured only for a receiver that lags behind: the others' messages are on their way already.
    if (!this.#process.send(message, undefined, undefined, written)) {
      size = JSON.stringify(message).length;
      this.#queued += size;
    }
    return undefined;
  }

  protected askToClose(): () => void {
    const grandchildren = descendants(this.id);
    this.#process.kill('SIGTERM');
    return () => killAll(grandchildren);
  }
}

/** A thread of the Master's process. */
export class ThreadChild extends Child {
  readonly id: number;
  readonly #thread: Thread;
  #ended = false;

  constructor(thread: Thread) {
    super();
    this.#thread = thread;
    this.id = thread.threadId;
    thread.on('message', (message: Message) => this.receive(message));
    thread.on('error', (error) => this.emit('error', error));
    thread.once('exit', (code) => {
      this.#ended = true;
      this.emit('exit', code, null);
    });
  }

  get alive(): boolean {
    return !this.#ended;
  }

  kill(): void {
    void this.#thread.terminate();
  }

  protected post(message: Message): SendFailure {
    if (this.#ended) return 'gone';
    this.#thread.postMessage(message);
    return undefined;
  }

  protected askToClose(): () => void {
    this.post({ action: CONTROL.close });
    return () => undefined;
  }
}
