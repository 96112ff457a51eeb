import { EARLY_MESSAGES } from '../../../../ipc/limits.js';
import type { TakeoverNotice, WireMessage } from './wire.js';

/** A message that only one process may get. */
interface Exclusive {
  message: WireMessage;
  stream: string;
  seq: number;
}

interface TakeoverOptions {
  /** Of this Agent. */
  incarnation: string;
  /** Milliseconds to wait for the Agent before this one. */
  timeout: number;
  /** Sends to the other Agents of this machine. */
  notify(notice: TakeoverNotice): void;
  /** @returns the last packet of each stream that this Agent has handled */
  handled(): Record<string, number>;
  /** Takes what was kept. */
  deliver(message: WireMessage): void;
  /** This Agent takes such messages from now on. */
  onActive(): void;
  /** It takes none any more. */
  onReplaced(): void;
  /** Messages are lost, since the Agent before this one has not said whether it has handled them. */
  onDropped(count: number): void;
}

/**
 * `joining` until it is known whether there is an Agent before this one; a `candidate` keeps what that one still takes; it is `asking`
 * once the cluster is ready; `replaced` is one that has handed over.
 */
type State = 'joining' | 'candidate' | 'asking' | 'active' | 'replaced';

/**
 * While one Agent of a machine replaces another, both are subscribed. Messages that only one process may get are taken by one of the two: the
 * former Agent stops, and says how far it has come in each stream; its successor goes on from there.
 */
export class Takeover {
  readonly #options: TakeoverOptions;
  #state: State = 'joining';
  /** The cluster is ready: the Agent before this one is about to leave. */
  #ready = false;
  #predecessor: string | undefined;
  /** What the Agent before this one has handled. */
  #handled: Record<string, number> | undefined;
  #kept: Exclusive[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** Another Agent of the machine has asked to take over. */
  #isAsked = false;
  #hasCandidate = false;

  constructor(options: TakeoverOptions) {
    this.#options = options;
  }

  get isJoining(): boolean {
    return this.#state === 'joining';
  }

  /** Another Agent of the machine has taken over, or is about to. */
  get hasSuccessor(): boolean {
    return this.#isAsked || this.#hasCandidate;
  }

  get isActive(): boolean {
    return this.#state === 'active';
  }

  /** @param predecessor incarnation of the Agent that this one replaces */
  join(predecessor: string | undefined): void {
    if (this.#state !== 'joining') return;
    this.#predecessor = predecessor;
    this.#state = 'candidate';
    if (predecessor === undefined) {
      this.#activate({});
      return;
    }
    this.#options.notify({ kind: 'candidate', incarnation: predecessor });
    this.#advance();
  }

  ready(): void {
    this.#ready = true;
    this.#advance();
  }

  #advance(): void {
    if (this.#state !== 'candidate' || !this.#ready) return;
    if (this.#handled) {
      this.#activate(this.#handled);
      return;
    }
    this.#state = 'asking';
    this.#options.notify({ kind: 'take-over', incarnation: this.#predecessor as string });
    this.#timer = setTimeout(() => {
      if (this.#kept.length > 0) this.#options.onDropped(this.#kept.length);
      this.#kept = [];
      this.#activate({});
    }, this.#options.timeout);
  }

  receive(notice: TakeoverNotice): void {
    if (notice.kind === 'handed-over') {
      if (notice.incarnation !== this.#predecessor) return;
      this.#handled = notice.handled;
      if (this.#state === 'asking') this.#activate(notice.handled);
    } else if (notice.incarnation === this.#options.incarnation) {
      if (notice.kind === 'take-over') {
        this.#isAsked = true;
        this.#handOver();
      } else this.#hasCandidate = notice.kind === 'candidate';
    }
  }

  /** @returns whether this Agent is to take it now; it keeps what it may have to take later */
  takes(exclusive: Exclusive): boolean {
    if (this.#state === 'active') return this.#isNew(exclusive);
    if (this.#state === 'replaced') return false;
    this.#kept.push(exclusive);
    // The Agent before this one has handled the oldest ones.
    if (this.#kept.length > EARLY_MESSAGES) this.#kept.shift();
    return false;
  }

  #isNew({ stream, seq }: Exclusive): boolean {
    return seq > (this.#handled?.[stream] ?? 0);
  }

  #activate(handled: Record<string, number>): void {
    clearTimeout(this.#timer);
    this.#handled = handled;
    this.#state = 'active';
    for (const exclusive of this.#kept.splice(0)) {
      if (this.#isNew(exclusive)) this.#options.deliver(exclusive.message);
    }
    this.#options.onActive();
    if (this.#isAsked) this.#handOver();
  }

  /** The Agent closes. */
  close(): void {
    clearTimeout(this.#timer);
    const isCandidate = this.#state === 'candidate' || this.#state === 'asking';
    if (isCandidate) this.#options.notify({ kind: 'withdraw', incarnation: this.#predecessor as string });
    this.#handOver();
  }

  /** Takes no such message any more, and says which it has handled. */
  #handOver(): void {
    if (this.#state !== 'active') return;
    this.#state = 'replaced';
    const { incarnation, handled, notify, onReplaced } = this.#options;
    notify({ kind: 'handed-over', incarnation, handled: handled() });
    onReplaced();
  }
}
