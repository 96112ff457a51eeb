import type { DeathReason } from '../../ipc/death_record.js';
import type { ErrorData } from '../../ipc/error_data.js';
import { maskText } from '../../output/secrets.js';
import type { OverdueRequests } from '../protocol/protocol.js';
import { Vitals } from '../protocol/vitals.js';
import type { Child } from '../spawn/child_handle.js';
import { heapEnd } from '../spawn/heap_end.js';
import type { Slot } from './slot.js';
import { StateMachine } from './state_machine.js';

export type ChildKind = 'agent' | 'app worker';

/**
 * A `candidate` boots beside the child that it may replace: if it exits before it is ready, whoever asked for it decides
 * what to do. A child that is `starting` fills its slot and is replaced when it exits.
 */
export type ChildState = 'starting' | 'candidate' | 'ready' | 'draining' | 'exited';

const TRANSITIONS = {
  starting: ['ready', 'draining', 'exited'],
  candidate: ['ready', 'draining', 'exited'],
  ready: ['draining', 'exited'],
  draining: ['exited'],
  exited: [],
} as const satisfies Record<ChildState, readonly ChildState[]>;

/** Why a child shall end. */
export interface Ending {
  reason: DeathReason;
  /** For the log. */
  text: string;
  /** Who asked for it. */
  asker?: string | undefined;
}

/** How a child has ended. */
export interface Exit {
  code: number | null;
  signal: string | null;
  /** The state that it was in. */
  state: ChildState;
  /** Why, for the log. */
  text: string;
}

/** What the Master knows of the Agent or of an app worker. */
export class ManagedChild extends Vitals {
  readonly kind: ChildKind;
  readonly handle: Child;
  readonly slot: Slot;
  /** Those of its options that can be changed, as it was booted with them. */
  options: Record<string, number> = {};
  /** Messages that it has sent and that could not be delivered. */
  undeliveredMessages = 0;
  /** Connections that it has cut when its time to drain was over. */
  cutConnections = 0;
  /** When it was told to load the app, and before that when it was forked, in milliseconds since the epoch: a spare waits in between. */
  bootedAt: number;
  /** When it began to drain, in milliseconds since the epoch. */
  drainingSince: number | undefined;
  #failure: ErrorData | undefined;
  /** Why the Master ends it, or why it leaves by itself; the first reason counts. */
  #ending: Ending | undefined;
  /** Where its event loop was blocked. */
  stack: string | undefined;
  /** Requests to which it has not responded in time. */
  overdue: OverdueRequests | undefined;
  /** Between 0 and 1: how far it may go over a limit, so that workers do not leave together. */
  readonly jitter = Math.random();
  /** Until when, in milliseconds since the epoch, its event loop may stand still: a heap snapshot stops it. */
  pausedUntil = 0;
  readonly #machine: StateMachine<ChildState>;

  constructor(kind: ChildKind, handle: Child, slot: Slot, state: 'starting' | 'candidate') {
    super();
    this.kind = kind;
    this.handle = handle;
    this.slot = slot;
    this.bootedAt = handle.spawnedAt;
    this.#machine = new StateMachine<ChildState>(this, TRANSITIONS, state);
  }

  /** The error that the child has reported; secrets are masked, since it goes to logs, `clutch status` and replies. */
  get failure(): ErrorData | undefined {
    return this.#failure;
  }

  set failure(error: ErrorData | undefined) {
    this.#failure = error && {
      name: error.name,
      message: maskText(error.message),
      ...(error.code === undefined ? {} : { code: error.code }),
      ...(error.stack === undefined ? {} : { stack: maskText(error.stack) }),
      ...(error.screen === undefined ? {} : { screen: maskText(error.screen) }),
    };
  }

  get ending(): Ending | undefined {
    return this.#ending;
  }

  endFor(ending: Ending): void {
    this.#ending ??= ending;
  }

  /** It is killed, whatever it was asked for before. */
  killFor(ending: Ending): void {
    this.#ending = ending;
  }

  get id(): number {
    return this.handle.id;
  }

  get state(): ChildState {
    return this.#machine.state;
  }

  /** @throws on a transition that a child does not make */
  become(next: ChildState): void {
    this.#machine.become(next);
    if (next === 'draining') this.drainingSince = Date.now();
  }

  /** Whether it serves or is going to. */
  get fillsSlot(): boolean {
    return this.state === 'starting' || this.state === 'candidate' || this.state === 'ready';
  }

  /** @returns why it exited, for the log; a full heap becomes the reason of its end */
  exitReason(code: number | null, signal: string | null): string {
    if (this.failure?.code === 'ERR_WORKER_OUT_OF_MEMORY') {
      this.endFor({ reason: 'heap', text: `heap out of memory: ${this.failure.message}` });
    }
    const heap = this.#ending ? undefined : heapEnd(this.id, { code, signal }, this.stats);
    if (heap) {
      this.endFor({ reason: 'heap', text: heap.text });
      this.lines.push(...heap.lines);
    }
    if (this.#ending) return this.#ending.text;
    if (this.failure) return this.failure.screen ?? this.failure.stack ?? this.failure.message;
    return signal === null ? `exited with code ${code}` : `ended by ${signal}`;
  }

  override toString(): string {
    return `${this.kind} ${this.id} (slot ${this.slot.index})`;
  }
}
