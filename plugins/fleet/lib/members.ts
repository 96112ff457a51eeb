import { loadavg } from 'node:os';
import { toError } from '../../../errors.js';
import type { Bucket, Entry } from './adapter/adapter.js';

type MemberState = 'starting' | 'ready' | 'closing';

/** What a machine says of itself. */
export interface Member {
  /** `config.fleet.member`. */
  id: string;
  /** Distinguishes one Agent of a machine from the next one. */
  incarnation: string;
  /** A hash by which two machines that have one name are told apart. */
  machine: string;
  state: MemberState;
  /** Of the app's package.json. */
  version: string;
  host: string;
  pid: number;
  /** Ids of the app workers. */
  workers: string[];
  /** Load of the machine in the last minute. */
  load: number;
  /** When the Agent started, in milliseconds since the epoch. */
  since: number;
}

/** Attempts to write an entry that another Agent of the machine writes, too. */
const ATTEMPTS = 3;

interface MembershipOptions {
  /** Milliseconds between two heartbeats. */
  interval: number;
  describe(): Omit<Member, 'state' | 'load'>;
  onError(error: Error): void;
}

/** Keeps this machine in the list of the fleet's, and reads the list. */
export class Membership {
  readonly #bucket: Bucket;
  readonly #options: MembershipOptions;
  #state: MemberState = 'starting';
  #revision = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #list: { at: number; members: Promise<Member[]> } | undefined;

  constructor(bucket: Bucket, options: MembershipOptions) {
    this.#bucket = bucket;
    this.#options = options;
  }

  /** @returns incarnation of another Agent of this machine that has the entry and runs */
  async predecessor(): Promise<string | undefined> {
    const { id, incarnation, machine } = this.#options.describe();
    try {
      const entry = await this.#bucket.get(id);
      const other = entry && (JSON.parse(entry.value) as Member);
      if (!other || other.incarnation === incarnation || other.machine !== machine) return undefined;
      return isRunning(other.pid) ? other.incarnation : undefined;
    } catch (error) {
      this.#options.onError(toError(error));
      return undefined;
    }
  }

  get #isClosing(): boolean {
    return this.#state === 'closing';
  }

  /** Resolves when what is to be written now has been written. */
  get written(): Promise<void> {
    return this.#writing;
  }

  /** What `update` writes from now on. */
  set state(state: Exclude<MemberState, 'closing'>) {
    if (!this.#isClosing) this.#state = state;
  }

  /** Writes what this machine is now, and goes on doing so. */
  update(): Promise<void> {
    if (this.#isClosing) return this.#writing;
    clearTimeout(this.#timer);
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    if (this.#isClosing) return;
    try {
      const { id, ...described } = this.#options.describe();
      const member: Member = { id, ...described, state: this.#state, load: loadavg()[0] ?? 0 };
      const value = JSON.stringify(member);
      let revision = await this.#bucket.put(id, value, this.#revision);
      // The Agent before this one may write and remove it at the same time.
      for (let attempt = 0; revision === undefined && attempt < ATTEMPTS; attempt += 1) {
        const current = await this.#bucket.get(id);
        if (attempt === 0) this.#complain(current, member);
        revision = await this.#bucket.put(id, value, current?.revision ?? 0);
      }
      this.#revision = revision ?? 0;
    } catch (error) {
      this.#options.onError(toError(error));
    }
    clearTimeout(this.#timer);
    // With jitter, so that the machines of a fleet do not write at one moment.
    const delay = this.#options.interval * (0.75 + Math.random() / 4);
    if (!this.#isClosing) this.#timer = setTimeout(() => void this.update(), delay);
  }

  #complain(current: Entry | undefined, { id, machine }: Member): void {
    const other = current && (JSON.parse(current.value) as Member);
    // The Agent before this one has left its entry, or the one after it has written its own.
    if (!other || other.machine === machine || this.#revision === 0) return;
    this.#options.onError(
      new Error(
        `two machines of the fleet are called "${id}" (the other one is ${other.host}, pid ${other.pid}): set config.fleet.member`,
      ),
    );
  }

  async list(): Promise<Member[]> {
    const entries = await this.#bucket.entries();
    return entries.map(({ value }) => JSON.parse(value) as Member).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /**
   * The same, no older than one heartbeat: a list for each message would be much for a large fleet.
   *
   * @param isNow to have it a tenth of a heartbeat old at most
   */
  recent(isNow?: 'now'): Promise<Member[]> {
    const now = performance.now();
    if (!this.#list || now - this.#list.at > this.#options.interval / (isNow ? 10 : 1)) {
      const members = this.list();
      this.#list = { at: now, members };
      members.catch(() => {
        this.#list = undefined;
      });
    }
    return this.#list.members;
  }

  /** Leaves the entry to the Agent after this one. */
  stop(): Promise<void> {
    this.#state = 'closing';
    clearTimeout(this.#timer);
    return this.#writing;
  }

  async close(): Promise<void> {
    await this.stop();
    if (this.#revision === 0) return;
    // Nothing happens if the Agent after this one has written it since.
    await this.#bucket.remove(this.#options.describe().id, this.#revision);
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
