export interface MessagesView {
  /** Since the cluster started, by action and direction, the most frequent first, at most 100. */
  actions: MessageCount[];
  undelivered: number;
  /** The last that could not be delivered, the newest first. */
  lastUndelivered: UndeliveredMessage[];
}

export interface MessageCount {
  action: string;
  /** Kind of process. */
  from: string;
  to: string;
  count: number;
}

export interface UndeliveredMessage {
  at: string;
  action: string;
  from: string;
  reason: string;
}

/** Actions that are shown. */
const MOST_SHOWN = 100;
/** Actions and directions that are counted by themselves: an app may make names up. */
const LIMIT = 1000;
const OTHER = '(other)';
const MOST_UNDELIVERED = 50;

/** Counts the messages that pass through the Master. */
export class MessageCounts {
  readonly #counts = new Map<string, MessageCount>();
  readonly #undelivered = new Map<string, number>();
  readonly #lastUndelivered: UndeliveredMessage[] = [];

  count(action: string, from: string, to: string): void {
    const key = `${from} ${to} ${action}`;
    const known = this.#counts.get(key);
    if (known) known.count += 1;
    else if (this.#counts.size >= LIMIT && action !== OTHER) this.count(OTHER, from, to);
    else this.#counts.set(key, { action, from, to, count: 1 });
  }

  /** @param failure a word for what `reason` says */
  countUndelivered({ failure, ...message }: Omit<UndeliveredMessage, 'at'> & { failure: string }): void {
    this.#undelivered.set(failure, (this.#undelivered.get(failure) ?? 0) + 1);
    this.#lastUndelivered.unshift({ at: new Date().toISOString(), ...message });
    if (this.#lastUndelivered.length > MOST_UNDELIVERED) this.#lastUndelivered.pop();
  }

  get all(): Iterable<Readonly<MessageCount>> {
    return this.#counts.values();
  }

  /** How many could not be delivered, by a word for the reason. */
  get undelivered(): ReadonlyMap<string, number> {
    return this.#undelivered;
  }

  view(): Omit<MessagesView, 'undelivered'> {
    return {
      actions: [...this.#counts.values()].sort((a, b) => b.count - a.count).slice(0, MOST_SHOWN),
      lastUndelivered: this.#lastUndelivered,
    };
  }
}
