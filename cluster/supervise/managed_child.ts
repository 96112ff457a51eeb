import type { DeathReason } from '../../ipc/death_record.js';
import type { ErrorData } from '../../ipc/error_data.js';
import { maskText } from '../../output/secrets.js';
import type { OverdueRequests, ProcessStats } from '../protocol/protocol.js';
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

/** Lines that are kept of each child. */
const MOST_LINES = 20;

/** What the Master knows of the Agent or of an app worker. */
export class ManagedChild {
  readonly kind: ChildKind;
  readonly handle: Child;
  readonly slot: Slot;
  stats: ProcessStats | undefined;
  /** Those of its options that can be changed, as it was booted with them. */
  options: Record<string, number> = {};
  /** Messages that it has sent and that could not be delivered. */
  undeliveredMessages = 0;
  /** Connections that it has cut when its time to drain was over. */
  cutConnections = 0;
  /** When it began to drain, in milliseconds since the epoch. */
  drainingSince: number | undefined;
  /** Between the last two heartbeats, of one CPU. */
  cpuPercent = 0;
  #failure: ErrorData | undefined;
  /** Why the Master ends it, or why it leaves by itself; the first reason counts. */
  #ending: Ending | undefined;
  /** Where its event loop was blocked. */
  stack: string | undefined;
  /** Requests to which it has not responded in time. */
  overdue: OverdueRequests | undefined;
  /** Between 0 and 1: how far it may go over a limit, so that workers do not leave together. */
  readonly jitter = Math.random();
  /** The last lines that it has written. */
  lines: string[] = [];
  /** When the last heartbeat came; undefined until the child may load the app. */
  lastBeat: number | undefined;
  /** Until when, in milliseconds since the epoch, its event loop may stand still: a heap snapshot stops it. */
  pausedUntil = 0;
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

  beat(stats: ProcessStats): void {
    const now = Date.now();
    if (this.stats && this.lastBeat !== undefined && now > this.lastBeat) {
      this.cpuPercent = Math.round((100 * (stats.cpu - this.stats.cpu)) / (now - this.lastBeat));
    }
    this.stats = stats;
    if (stats.lines) this.lines = [...this.lines, ...stats.lines].slice(-MOST_LINES);
    this.lastBeat = now;
  }

  /** @returns why it exited, for the log */
  exitReason(code: number | null, signal: string | null): string {
    if (this.#ending) return this.#ending.text;
    if (this.failure) return this.failure.screen ?? this.failure.stack ?? this.failure.message;
    return signal === null ? `exited with code ${code}` : `ended by ${signal}`;
  }

  toString(): string {
    return `${this.kind} ${this.id} (slot ${this.slot.index})`;
  }
}
