import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import type { Worker as Thread } from 'node:worker_threads';
import { EARLY_MESSAGES, MASTER_QUEUE } from '../../ipc/limits.js';
import { CONTROL, type Envelope, isControl, type Message } from '../../ipc/message.js';
import { parseEnvelope } from '../protocol/parse_envelope.js';
import { descendants, killAll } from './descendants.js';

const { randomBytes } = process.getBuiltinModule('node:crypto');

/** The id of a process that the system could not start. */
export const NOT_SPAWNED = -1;

interface Events {
  message: [envelope: Envelope];
  /** No message will come any more: the child has ended, is about to, or has closed its channel by itself. Emitted once. */
  disconnect: [];
  /** The child has no file descriptor left for the socket that was sent last. */
  socketLost: [];
  /** It drains, and connections make progress. */
  progress: [];
  /** Messages were not sent because its queue was full, and it has read half of that. */
  drain: [];
  exit: [code: number | null, signal: string | null];
  error: [error: Error];
}

/** Why a message could not be sent; undefined if it is on its way. */
export type SendFailure = 'gone' | 'full' | undefined;

/** A process or thread that the Master has started, and what the Master does with it. */
export abstract class Child extends EventEmitter<Events> {
  /** Its pid, or the id of its thread. */
  abstract readonly id: number;
  /** Milliseconds since the epoch. */
  readonly spawnedAt = Date.now();
  /** Whether the Master has killed it. */
  killed = false;
  /** What the runtime of this child shows, and the app in it cannot. */
  readonly token: string = randomBytes(16).toString('hex');
  /** Messages that wait until the child listens; undefined from then on. */
  #early: Envelope[] | undefined = [];

  abstract get alive(): boolean;
  /** Bytes of messages that it has not read yet, as far as they are known. */
  readonly queuedBytes: number = 0;
  protected abstract destroy(): void;
  protected abstract post(message: Envelope): SendFailure;
  /** @returns a function that ends what the child leaves behind */
  protected abstract askToClose(): () => void;

  kill(): void {
    this.killed ||= this.alive;
    this.destroy();
  }

  /** Sends a message, which waits until the child listens. Never throws. */
  send(message: Envelope): SendFailure {
    if (!this.#early) return this.post(message);
    if (this.#early.length >= EARLY_MESSAGES) return 'full';
    this.#early.push(message);
    return undefined;
  }

  protected receive(given: unknown): void {
    const envelope = parseEnvelope(given, this.token);
    if (!envelope) return;
    if (isControl(envelope) && envelope.clutch === CONTROL.hello) {
      const early = this.#early ?? [];
      this.#early = undefined;
      for (const kept of early) this.post(kept);
    } else if (isControl(envelope) && envelope.clutch === CONTROL.progress) {
      this.emit('progress');
    } else {
      this.emit('message', envelope);
    }
  }

  /**
   * Asks the child to end, and kills it as `killAfter` does. Processes that it has started end with it.
   *
   * @param timeout milliseconds
   */
  terminate(timeout: number, longest?: number): Promise<void> {
    if (!this.alive) return Promise.resolve();
    this.killAfter(timeout, longest);
    return new Promise((resolve) => {
      this.once('exit', () => {
        cleanUp();
        resolve();
      });
      const cleanUp = this.askToClose();
    });
  }

  /**
   * Kills the child if it has not exited after `timeout` milliseconds. While it reports progress it gets them again, but no
   * more than `longest` milliseconds in all.
   */
  killAfter(timeout: number, longest = timeout): void {
    const deadline = Date.now() + longest;
    const start = (delay: number): NodeJS.Timeout => setTimeout(() => this.kill(), delay);
    let timer = start(timeout);
    const onProgress = (): void => {
      clearTimeout(timer);
      timer = start(Math.max(0, Math.min(timeout, deadline - Date.now())));
    };
    if (longest > timeout) this.on('progress', onProgress);
    this.once('exit', () => {
      clearTimeout(timer);
      this.off('progress', onProgress);
    });
  }
}

/** Bytes that a write takes in the queue besides its text: what Node keeps for it. */
const WRITE_OVERHEAD = 1024;
/** Messages in one write. */
const LARGEST_BATCH = 500;

/** Small messages, of which there are few for each other one, and which free something at the receiver. */
const FREEING: string[] = [CONTROL.credit, CONTROL.cancel, CONTROL.undelivered];

/** @returns the bytes in the queue above which a message is dropped */
function queueLimit(message: Envelope): number {
  if (!isControl(message)) return MASTER_QUEUE;
  if (message.clutch === CONTROL.close) return Number.POSITIVE_INFINITY;
  return FREEING.includes(message.clutch) ? 2 * MASTER_QUEUE : MASTER_QUEUE;
}

/** A forked process. */
export class ProcessChild extends Child {
  readonly id: number;
  readonly #process: ChildProcess;
  override queuedBytes = 0;
  #isFull = false;
  /** Messages of the app that came in this event-loop iteration: they leave in one write. */
  #batch: Message[] = [];
  readonly #flush = (): void => {
    const batch = this.#batch;
    if (batch.length === 0) return;
    this.#batch = [];
    this.#write(batch.length === 1 ? (batch[0] as Message) : { clutch: CONTROL.batch, data: batch });
  };

  constructor(process: ChildProcess) {
    super();
    this.#process = process;
    this.id = process.pid ?? NOT_SPAWNED;
    process.on('message', (message) => this.receive(message));
    process.on('error', (error) => {
      this.emit('error', error);
      // Without a pid it was never started, and Node emits no exit.
      if (process.pid === undefined) this.emit('exit', null, null);
    });
    // Node leaves `disconnect` out while a handle is on its way.
    let disconnected = false;
    for (const event of ['disconnect', 'close']) {
      process.once(event, () => {
        if (!disconnected) this.emit('disconnect');
        disconnected = true;
      });
    }
    process.once('exit', (code, signal) => this.emit('exit', code, signal));
  }

  get alive(): boolean {
    const { exitCode, signalCode, pid } = this.#process;
    return exitCode === null && signalCode === null && pid !== undefined;
  }

  protected destroy(): void {
    this.#process.kill('SIGKILL');
  }

  protected post(message: Envelope): SendFailure {
    if (!this.#process.connected) return 'gone';
    if (this.queuedBytes > queueLimit(message)) {
      this.#isFull = true;
      return 'full';
    }
    // What another process has sent is known to be JSON; what the Master has made may turn out not to be, which its caller must hear.
    if (!isControl(message) && message.senderPid !== undefined && message.senderPid !== process.pid) {
      if (this.#batch.push(message) === 1) process.nextTick(this.#flush);
      else if (this.#batch.length >= LARGEST_BATCH) this.#flush();
      return undefined;
    }
    this.#flush();
    this.#write(message);
    return undefined;
  }

  #write(message: Envelope): void {
    let size = 0;
    const written = (): void => {
      this.queuedBytes -= size;
      if (!this.#isFull || this.queuedBytes > MASTER_QUEUE / 2) return;
      this.#isFull = false;
      this.emit('drain');
    };
    // The size matters only if the receiver lags behind; otherwise the message is on its way already.
    if (this.#process.send(message, undefined, undefined, written)) return;
    size = JSON.stringify(message).length + WRITE_OVERHEAD;
    this.queuedBytes += size;
  }

  protected askToClose(): () => void {
    const grandchildren = descendants(this.id);
    this.send({ clutch: CONTROL.close });
    // For a process that does not listen yet, or has become another program.
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
    thread.on('message', (message) => this.receive(message));
    thread.on('error', (error) => this.emit('error', error));
    thread.once('exit', (code) => {
      this.#ended = true;
      this.emit('exit', code, null);
      this.emit('disconnect');
    });
  }

  get alive(): boolean {
    return !this.#ended;
  }

  protected destroy(): void {
    void this.#thread.terminate();
  }

  protected post(message: Envelope): SendFailure {
    if (this.#ended) return 'gone';
    this.#thread.postMessage(message);
    return undefined;
  }

  protected askToClose(): () => void {
    this.post({ clutch: CONTROL.close });
    return () => undefined;
  }
}
