/** All times are milliseconds of one clock that does not go back. */
export interface LeaseTimes {
  /** How long the server keeps the lease after the last write. */
  ttl: number;
  /** By how much the holder gives it up earlier: covers clocks that differ in speed, and the time that `onLost` takes. */
  margin: number;
  /** Between two attempts to get it, and two renewals. */
  interval: number;
}

/** @returns times for a lease of `ttl`: clocks may differ in speed by 20 %, and three renewals fit in before the end */
export function leaseTimes(ttl: number): LeaseTimes {
  return { ttl, margin: ttl / 4, interval: ttl / 4 };
}

export type LeaseState = 'waiting' | 'acquiring' | 'holding' | 'renewing' | 'closed';

export type LossReason = 'expired' | 'taken' | 'resigned';

/** What its owner has to do: a call to the server, whose outcome goes back with the same `id`, or a report. */
export type LeaseCommand =
  | { do: 'acquire' | 'renew'; id: number }
  | { do: 'release'; revision: number }
  | { do: 'elected'; token: number }
  | { do: 'lost'; reason: LossReason };

/** Of a call: the new revision, that another one has the lease, or that nobody knows what came of it. */
export type Outcome = { is: 'granted'; revision: number } | { is: 'refused' } | { is: 'failed' };

/**
 * One lease as its candidate sees it; does no I/O and reads no clock.
 *
 * The lease is valid from the moment before the call to the server was made, so that a slow reply never makes it longer than the
 * server's. A reply to a call that was given up is used for nothing but to give back what it has got.
 */
export class LeaseMachine {
  readonly #times: LeaseTimes;
  #state: LeaseState = 'waiting';
  /** Of the call that is under way. */
  #call = 0;
  #askedAt = 0;
  #nextAt = 0;
  #validUntil = 0;
  #token = 0;
  #revision = 0;

  constructor(times: LeaseTimes) {
    this.#times = times;
  }

  get state(): LeaseState {
    return this.#state;
  }

  /** Of the last write: what a renewal compares with. */
  get revision(): number {
    return this.#revision;
  }

  /** @returns the fencing token while the lease is valid */
  token(now: number): number | undefined {
    return this.#isHeld && now < this.#validUntil ? this.#token : undefined;
  }

  /** When `tick` has something to do. */
  get wakeAt(): number {
    if (this.#state === 'waiting') return this.#nextAt;
    if (this.#state === 'acquiring') return this.#askedAt + this.#times.ttl;
    if (this.#state === 'holding') return Math.min(this.#nextAt, this.#validUntil);
    return this.#state === 'renewing' ? this.#validUntil : Number.POSITIVE_INFINITY;
  }

  get #isHeld(): boolean {
    return this.#state === 'holding' || this.#state === 'renewing';
  }

  tick(now: number): LeaseCommand[] {
    if (this.#isHeld && now >= this.#validUntil) return this.#lose(now, 'expired');
    if (this.#state === 'acquiring' && now >= this.#askedAt + this.#times.ttl) this.#state = 'waiting';
    if (now < this.#nextAt) return [];
    if (this.#state === 'waiting') return this.#ask(now, 'acquire', 'acquiring');
    if (this.#state === 'holding') return this.#ask(now, 'renew', 'renewing');
    return [];
  }

  settle(now: number, id: number, outcome: Outcome): LeaseCommand[] {
    const isCurrent = id === this.#call && (this.#state === 'acquiring' || this.#state === 'renewing');
    if (!isCurrent) return outcome.is === 'granted' ? [{ do: 'release', revision: outcome.revision }] : [];
    return this.#state === 'acquiring' ? this.#settleAcquire(now, outcome) : this.#settleRenew(now, outcome);
  }

  /** Gives the lease up for good. */
  close(now: number): LeaseCommand[] {
    const commands: LeaseCommand[] = this.#isHeld ? this.#lose(now, 'resigned') : [];
    this.#state = 'closed';
    return commands;
  }

  /** There may be no holder any more: tries at once. */
  hurry(): void {
    if (this.#state === 'waiting') this.#nextAt = 0;
  }

  #ask(now: number, what: 'acquire' | 'renew', state: LeaseState): LeaseCommand[] {
    this.#state = state;
    this.#askedAt = now;
    this.#call += 1;
    this.#nextAt = now + this.#times.interval;
    return [{ do: what, id: this.#call }];
  }

  #settleAcquire(now: number, outcome: Outcome): LeaseCommand[] {
    this.#state = 'waiting';
    if (outcome.is !== 'granted') return [];
    const validUntil = this.#askedAt + this.#times.ttl - this.#times.margin;
    if (now >= validUntil) return [{ do: 'release', revision: outcome.revision }];
    this.#state = 'holding';
    this.#validUntil = validUntil;
    this.#token = this.#revision = outcome.revision;
    return [{ do: 'elected', token: this.#token }];
  }

  #settleRenew(now: number, outcome: Outcome): LeaseCommand[] {
    if (now >= this.#validUntil) {
      const lost = this.#lose(now, 'expired');
      return outcome.is === 'granted' ? [...lost, { do: 'release', revision: outcome.revision }] : lost;
    }
    if (outcome.is === 'refused') return this.#lose(now, 'taken');
    this.#state = 'holding';
    if (outcome.is === 'granted') {
      this.#revision = outcome.revision;
      this.#validUntil = this.#askedAt + this.#times.ttl - this.#times.margin;
    } else {
      this.#nextAt = now + this.#times.interval / 4;
    }
    return [];
  }

  #lose(now: number, reason: LossReason): LeaseCommand[] {
    this.#state = 'waiting';
    this.#validUntil = 0;
    this.#nextAt = now + this.#times.interval;
    const lost: LeaseCommand = { do: 'lost', reason };
    return reason === 'resigned' ? [lost, { do: 'release', revision: this.#revision }] : [lost];
  }
}
