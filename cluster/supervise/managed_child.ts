import type { ErrorData } from '../../ipc/error_data.js';
import { maskText } from '../../output/secrets.js';
import type { ProcessStats } from '../protocol/protocol.js';
import type { Child } from '../spawn/child_handle.js';
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

/** What the Master knows of the Agent or of an app worker. */
export class ManagedChild {
  readonly kind: ChildKind;
  readonly handle: Child;
  readonly slot: Slot;
  stats: ProcessStats | undefined;
  /** Messages that it has sent and that could not be delivered. */
  undeliveredMessages = 0;
  /** Between the last two heartbeats, of one CPU. */
  cpuPercent = 0;
  #failure: ErrorData | undefined;
  /** Why the Master kills it. */
  killReason: string | undefined;
  /** When the last heartbeat came; undefined until the child may load the app. */
  lastBeat: number | undefined;
  readonly #machine: StateMachine<ChildState>;

  constructor(kind: ChildKind, handle: Child, slot: Slot, state: 'starting' | 'candidate') {
    this.kind = kind;
    this.handle = handle;
    this.slot = slot;
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

  get id(): number {
    return this.handle.id;
  }

  get state(): ChildState {
    return this.#machine.state;
  }

  /** @throws on a transition that a child does not make */
  become(next: ChildState): void {
    this.#machine.become(next);
  }

  /** Whether it serves or is going to. */
  get fillsSlot(): boolean {
    return this.state === 'starting' || this.state === 'candidate' || this.state === 'ready';
  }

  beat(stats: ProcessStats): void {
    const now = Date.now();
    if (this.stats && this.lastBeat !== undefined && now > this.lastBeat) {
      this.cpuPercent = Math.round((100 * (stats.cpu - this.stats.cpu)) / (now - this.lastBeat));
    }
    this.stats = stats;
    this.lastBeat = now;
  }

  /** @returns why it exited, for the log */
  exitReason(code: number | null, signal: string | null): string {
    if (this.killReason) return this.killReason;
    if (this.failure) return this.failure.screen ?? this.failure.stack ?? this.failure.message;
    return signal === null ? `exited with code ${code}` : `ended by ${signal}`;
  }

  toString(): string {
    return `${this.kind} ${this.id} (slot ${this.slot.index})`;
  }
}
