import { randomUUID } from 'node:crypto';
import type { Context } from '../../../core/index.js';
import type { MaxAge, SessionConfig, SessionStore, StoredSession } from '../lib/options.js';
import { Session, type SessionOwner, valuesOf } from '../lib/session.js';

const ONE_DAY = 24 * 60 * 60 * 1000;

/** Milliseconds that a store keeps a session longer than the cookie says, so that it is never gone first. */
const STORE_GRACE = 10_000;

/** `unread`: nobody has asked for it. `removed`: set to null. */
type State = 'unread' | 'open' | 'removed';

/** The session of one request: read at first use, saved when it has changed. */
export class ContextSession implements SessionOwner {
  readonly #ctx: Context;
  readonly #options: SessionConfig & { key: string };
  readonly #store: SessionStore | undefined;
  #state: State = 'unread';
  #session: Session | undefined;
  /** The JSON of what came with the request. */
  #before: string | undefined;
  #expire: number | undefined;
  #mustSave = false;
  /** Whether it gets another key in the store. */
  #mustRegenerate = false;
  externalKey: string | undefined;
  maxAge: MaxAge;

  constructor(ctx: Context, options: SessionConfig) {
    this.#ctx = ctx;
    this.#options = options as SessionConfig & { key: string };
    this.#store = options.ContextStore ? new options.ContextStore(ctx) : options.store;
    this.maxAge = options.maxAge || ONE_DAY;
  }

  get(): Session | null {
    if (this.#state === 'removed') return null;
    if (this.#state === 'unread') this.#open(this.#store ? undefined : this.#fromCookie());
    return this.#session as Session;
  }

  /** @throws {TypeError} if it is neither null nor an object */
  set(value: unknown): void {
    if (value === null) {
      this.#state = 'removed';
      this.#session = undefined;
      return;
    }
    if (typeof value !== 'object') throw new TypeError('this.session can only be set as null or an object.');
    if (this.#state === 'unread') this.get();
    this.#replace(value as StoredSession);
  }

  /** Reads the session that the request names from the store. */
  async load(): Promise<void> {
    const key = this.#options.externalKey?.get(this.#ctx) ?? this.#cookie();
    if (!key) return;
    const stored = await this.#store?.get(key, this.maxAge, {
      ctx: this.#ctx,
      rolling: this.#options.rolling,
    });
    if (!this.#isValid(stored, key)) return;
    this.externalKey = key;
    this.#open(stored);
  }

  requireSave(): void {
    this.#mustSave = true;
  }

  /** Saves or removes what has changed; does nothing if nobody has asked for the session. */
  async commit(): Promise<void> {
    if (this.#state === 'unread') return;
    if (this.#state === 'removed') return this.#remove();
    const session = this.#session as Session;
    const changed = this.#mustSave || this.#hasChanged(session);
    if (!changed && !this.#mustRenew(session)) return;
    if (this.#mustRegenerate) await this.#destroy();
    this.#options.beforeSave?.(this.#ctx, session);
    await this.#save(valuesOf(session), changed);
    this.#before = JSON.stringify(valuesOf(session));
    this.#mustSave = false;
    this.#mustRegenerate = false;
  }

  regenerate(): Promise<void> {
    this.#mustSave = true;
    this.#mustRegenerate = true;
    return this.commit();
  }

  #open(stored: StoredSession | undefined): void {
    this.#state = 'open';
    if (stored?._session) this.maxAge = 'session';
    else if (typeof stored?._maxAge === 'number') this.maxAge = stored._maxAge;
    this.#expire = stored?._expire;
    this.#session = new Session(this, stored);
    if (stored) this.#before = JSON.stringify(valuesOf(this.#session));
  }

  #replace(values: StoredSession): void {
    this.#state = 'open';
    this.#session = new Session(this, values);
    this.#mustRegenerate = true;
  }

  #cookie(): string | undefined {
    const { encrypt, signed = true } = this.#options;
    return this.#ctx.cookies.get(this.#options.key, { encrypt, signed } as never);
  }

  #fromCookie(): StoredSession | undefined {
    const text = this.#cookie();
    if (!text) return undefined;
    try {
      const stored = (this.#options.decode ?? decode)(text);
      return this.#isValid(stored, undefined) ? stored : undefined;
    } catch {
      // A client may send anything: it then has a new session.
      return undefined;
    }
  }

  #isValid(stored: unknown, key: string | undefined): stored is StoredSession {
    if (stored === null || stored === undefined) {
      if (key !== undefined) this.#refuse('missed', key, stored);
      return false;
    }
    if (typeof stored !== 'object' || Array.isArray(stored)) return false;
    const session = stored as StoredSession;
    if (session._expire !== undefined && !(session._expire > Date.now())) return this.#refuse('expired', key, session);
    const { valid } = this.#options;
    if (valid && !valid(this.#ctx, session)) return this.#refuse('invalid', key, session);
    return true;
  }

  #refuse(why: 'missed' | 'expired' | 'invalid', key: string | undefined, value: unknown): false {
    const ctx = this.#ctx;
    setImmediate(() => ctx.app.emit(`session:${why}`, { key, value, ctx }));
    return false;
  }

  #hasChanged(session: Session): boolean {
    const values = valuesOf(session);
    if (this.#before === undefined) return Object.keys(values).length > 0;
    return JSON.stringify(values) !== this.#before;
  }

  #mustRenew(session: Session): boolean {
    if (this.#before === undefined && !session.populated) return false;
    const { rolling, renew } = this.#options;
    if (rolling) return true;
    return Boolean(
      renew && this.#expire !== undefined && this.maxAge !== 'session' && this.#expire - Date.now() < this.maxAge / 2,
    );
  }

  async #save(values: StoredSession, changed: boolean): Promise<void> {
    const { rolling, encode: toText = encode } = this.#options;
    if (this.maxAge === 'session') values._session = true;
    else Object.assign(values, { _expire: Date.now() + this.maxAge, _maxAge: this.maxAge });
    if (!this.#store) return this.#setCookie(toText(values));
    const kept = this.maxAge === 'session' ? this.maxAge : this.maxAge + STORE_GRACE;
    this.externalKey ??= this.#newKey();
    await this.#store.set(this.externalKey, values, kept, { ctx: this.#ctx, changed, rolling });
    this.#setKey(this.externalKey);
  }

  #newKey(): string {
    const { genid, prefix = '' } = this.#options;
    return genid ? genid(this.#ctx) : prefix + randomUUID();
  }

  #setKey(key: string): void {
    const { externalKey } = this.#options;
    if (externalKey) externalKey.set(this.#ctx, key);
    else this.#setCookie(key);
  }

  async #remove(): Promise<void> {
    // A browser replaces a cookie only by one with the same attributes.
    this.maxAge = 'session';
    await this.#destroy();
    this.#setKey('');
  }

  async #destroy(): Promise<void> {
    const key = this.externalKey;
    this.externalKey = undefined;
    if (key !== undefined) await this.#store?.destroy(key, { ctx: this.#ctx });
  }

  #setCookie(value: string): void {
    const { key, encrypt, signed, httpOnly, overwrite = true, secure, sameSite, domain, path } = this.#options;
    const attributes = { encrypt, signed, httpOnly, overwrite, secure, sameSite, domain, path };
    const given = Object.entries(attributes).filter(([, attribute]) => attribute !== undefined);
    const maxAge = this.maxAge === 'session' ? undefined : this.maxAge;
    this.#ctx.cookies.set(key, value, { ...Object.fromEntries(given), maxAge });
  }
}

function encode(session: StoredSession): string {
  return Buffer.from(JSON.stringify(session)).toString('base64');
}

function decode(text: string): unknown {
  return JSON.parse(Buffer.from(text, 'base64').toString());
}
