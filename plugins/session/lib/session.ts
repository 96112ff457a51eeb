import type { MaxAge, StoredSession } from './options.js';

/** What a session asks of the request that it belongs to. */
export interface SessionOwner {
  maxAge: MaxAge;
  readonly externalKey: string | undefined;
  requireSave(): void;
  commit(): Promise<void>;
  /** Commits it under a new key. */
  regenerate(): Promise<void>;
}

/** `ctx.session`: its own enumerable properties are the values of the app. */
export class Session {
  [key: string]: unknown;
  readonly #owner: SessionOwner;
  readonly #isNew: boolean;

  constructor(owner: SessionOwner, stored: StoredSession | undefined) {
    this.#owner = owner;
    this.#isNew = stored === undefined;
    for (const [key, value] of Object.entries(stored ?? {})) if (isOwnValue(key)) this[key] = value;
  }

  /** True if no session came with the request. */
  get isNew(): boolean {
    return this.#isNew;
  }

  /** The number of values. */
  get length(): number {
    return Object.keys(valuesOf(this)).length;
  }

  get populated(): boolean {
    return this.length > 0;
  }

  /** Milliseconds, or `session`; setting it saves the session with it. */
  get maxAge(): MaxAge {
    return this.#owner.maxAge;
  }

  set maxAge(maxAge: MaxAge) {
    this.#owner.maxAge = maxAge;
    this.#owner.requireSave();
  }

  /** Its key in the store; undefined when the cookie holds the session. */
  get externalKey(): string | undefined {
    return this.#owner.externalKey;
  }

  /** Saves it even if nothing changes. */
  save(): void {
    this.#owner.requireSave();
  }

  /** Saves it under a new key, and removes what the store has under the old one: to be called at login. */
  async regenerate(callback?: () => void): Promise<void> {
    await this.#owner.regenerate();
    callback?.();
  }

  /** Saves it now; needed with `autoCommit: false`. */
  manuallyCommit(): Promise<void> {
    return this.#owner.commit();
  }

  toJSON(): Record<string, unknown> {
    return valuesOf(this);
  }

  inspect(): Record<string, unknown> {
    return valuesOf(this);
  }
}

/** @returns the values of the app: not keys with an underscore, nor those of the class and of every object */
export function valuesOf(session: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(session).filter(([key]) => isOwnValue(key)));
}

function isOwnValue(key: string): boolean {
  return !key.startsWith('_') && !(key in Session.prototype);
}
