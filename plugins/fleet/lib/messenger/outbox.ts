import type { Undelivered } from './wire.js';

/** Messages of one batch at most. */
const BATCH = 500;

/** Messages and characters that may wait. */
const LIMIT = { messages: 10_000, size: 16 * 1024 * 1024 };

/** What leaves a process for the fleet: in order, in batches, one batch at a time, and no more than a limit. */
export class Outbox<T extends { text: string }> {
  readonly #send: (batch: T[]) => Promise<Undelivered[]>;
  readonly #onLost: (messages: T[], error: Error) => void;
  #waiting: T[] = [];
  #size = 0;
  #draining = false;
  #taken = 0;
  #left = 0;
  #flushes: { until: number; resolve: () => void }[] = [];
  /** Messages that may not have left. */
  lost = 0;

  /** @param send resolves when the batch has left, but for those that it names; rejects when it may be lost */
  constructor(send: (batch: T[]) => Promise<Undelivered[]>, onLost: (messages: T[], error: Error) => void) {
    this.#send = send;
    this.#onLost = onLost;
  }

  /** Messages that have left. */
  get sent(): number {
    return this.#left - this.lost;
  }

  get waiting(): number {
    return this.#taken - this.#left;
  }

  /** Takes a message; one beyond the limit is lost at once. */
  push(message: T): void {
    this.#taken += 1;
    if (this.#waiting.length >= LIMIT.messages || this.#size + message.text.length > LIMIT.size) {
      this.#settle([message], new Error('too many messages wait for the fleet; await flush() between them'));
      return;
    }
    this.#waiting.push(message);
    this.#size += message.text.length;
    if (this.#draining) return;
    this.#draining = true;
    // What is sent in one event-loop iteration leaves together.
    setImmediate(() => void this.#drain());
  }

  /** @returns when all that was taken until now has left or is lost */
  flush(): Promise<void> {
    if (this.waiting === 0) return Promise.resolve();
    return new Promise((resolve) => this.#flushes.push({ until: this.#taken, resolve }));
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH);
      for (const { text } of batch) this.#size -= text.length;
      try {
        const undelivered = await this.#send(batch);
        for (const { index, reason } of undelivered) this.#settle(batch.slice(index, index + 1), new Error(reason));
        this.#settle(batch.slice(undelivered.length));
      } catch (error) {
        this.#settle(batch, error as Error);
      }
    }
    this.#draining = false;
  }

  #settle(messages: T[], error?: Error): void {
    this.#left += messages.length;
    if (error) {
      this.lost += messages.length;
      this.#onLost(messages, error);
    }
    while (this.#flushes[0] && this.#flushes[0].until <= this.#left) this.#flushes.shift()?.resolve();
  }
}
