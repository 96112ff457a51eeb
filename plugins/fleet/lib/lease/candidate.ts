import { randomUUID } from 'node:crypto';
import { toError } from '../../../../errors.js';
import type { Bucket } from '../adapter/adapter.js';
import { type LeaseCommand, LeaseMachine, type LeaseTimes, type LossReason, type Outcome } from './lease_machine.js';

export interface LeadHandlers {
  /** This machine leads now. `token` is greater than that of every leader before: give it to whatever you write to. */
  onElected?(token: number): unknown;
  /** This machine leads no more. Called before another one can be elected, unless the process stands still. */
  onLost?(reason: LossReason): unknown;
}

/** A clock that does not go back, and its timers, which may be late. */
export interface LeaseClock {
  now(): number;
  /** @returns the function that stops it */
  after(delay: number, ring: () => void): () => void;
}

interface CandidateOptions {
  name: string;
  member: string;
  times: LeaseTimes;
  clock: LeaseClock;
  handlers: LeadHandlers;
  onError: (error: Error) => void;
}

/** One machine's candidacy for a lease. */
export class Candidate {
  readonly #bucket: Bucket;
  readonly #options: CandidateOptions;
  readonly #machine: LeaseMachine;
  /** What the last acquisition wrote: no other has written the same, so that it tells our own writes after a lost reply. */
  #value = '';
  #stopTimer = (): void => {};
  readonly #calls = new Set<Promise<void>>();

  constructor(bucket: Bucket, options: CandidateOptions) {
    this.#bucket = bucket;
    this.#options = options;
    this.#machine = new LeaseMachine(options.times);
  }

  /** The fencing token, undefined if this machine does not lead. Asks the clock: right even after the process stood still. */
  get token(): number | undefined {
    return this.#machine.token(this.#options.clock.now());
  }

  get isLeader(): boolean {
    return this.token !== undefined;
  }

  start(): void {
    this.#tick();
  }

  /** The connection is back, or a leader has resigned. */
  hurry(): void {
    this.#machine.hurry();
    this.#tick();
  }

  /** Resigns, so that another machine can lead at once. */
  async close(): Promise<void> {
    this.#obey(this.#machine.close(this.#options.clock.now()));
    await Promise.allSettled(this.#calls);
  }

  #tick(): void {
    this.#obey(this.#machine.tick(this.#options.clock.now()));
  }

  #obey(commands: LeaseCommand[]): void {
    for (const command of commands) {
      if (command.do === 'elected') this.#report(() => this.#options.handlers.onElected?.(command.token));
      else if (command.do === 'lost') this.#report(() => this.#options.handlers.onLost?.(command.reason));
      else if (command.do === 'release') this.#follow(this.#bucket.remove(this.#options.name, command.revision));
      else this.#follow(this.#ask(command));
    }
    this.#stopTimer();
    if (this.#machine.state === 'closed') return;
    const { clock } = this.#options;
    this.#stopTimer = clock.after(Math.max(0, this.#machine.wakeAt - clock.now()), () => this.#tick());
  }

  async #ask({ do: what, id }: { do: 'acquire' | 'renew'; id: number }): Promise<void> {
    let outcome: Outcome;
    try {
      const revision =
        what === 'acquire' ? await this.#acquire() : await this.#renew(this.#value, this.#machine.revision);
      outcome = revision === undefined ? { is: 'refused' } : { is: 'granted', revision };
    } catch (error) {
      this.#options.onError(toError(error));
      outcome = { is: 'failed' };
    }
    this.#obey(this.#machine.settle(this.#options.clock.now(), id, outcome));
  }

  async #acquire(): Promise<number | undefined> {
    const { name, member } = this.#options;
    const before = this.#value;
    // Anew for each call: one that was given up may still arrive, and must not take this one's lease for its own.
    const value = JSON.stringify({ member, nonce: randomUUID() });
    this.#value = value;
    const current = await this.#bucket.get(name);
    if (current && current.value !== before) return undefined;
    return this.#bucket.put(name, value, current?.revision ?? 0);
  }

  async #renew(value: string, revision: number): Promise<number | undefined> {
    const { name } = this.#options;
    const written = await this.#bucket.put(name, value, revision);
    if (written !== undefined) return written;
    // The reply to the last renewal was lost, and it has been done.
    const current = await this.#bucket.get(name);
    return current?.value === value ? this.#bucket.put(name, value, current.revision) : undefined;
  }

  #follow(call: Promise<void>): void {
    const followed = call.catch((error: unknown) => this.#options.onError(toError(error)));
    this.#calls.add(followed);
    void followed.then(() => this.#calls.delete(followed));
  }

  #report(handler: () => unknown): void {
    // A handler of the app may throw or be async; the lease goes on.
    Promise.resolve()
      .then(handler)
      .catch((error: unknown) => this.#options.onError(toError(error)));
  }
}
