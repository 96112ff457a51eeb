import type { DecipherGCM } from 'node:crypto';
import { ClutchError } from '../../../errors.js';

// Loaded with the first encrypted cookie.
const crypto = () => process.getBuiltinModule('node:crypto');

const KEY_BYTES = 32;

/** Version of the format; Egg's has no dot. */
const PREFIX = 'v1.';
const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Separates this use of `config.keys` from signatures of cookies. */
const PURPOSE = 'koa-clutch encrypted cookie v1';

const EGG_CIPHER = 'aes-256-cbc';
const EGG_IV_BYTES = 16;

/** What becomes of the format of Egg, which nothing protects against changes: also written, only read, or neither. */
export type EggFormat = 'write' | 'read' | false;

/** @throws {ClutchError} ERR_CLUTCH_CONFIG for anything else than an `EggFormat`: a typo must not leave the format readable */
export function eggFormatOf(given: unknown = 'read'): EggFormat {
  if (given === 'write' || given === 'read' || given === false) return given;
  throw new ClutchError('ERR_CLUTCH_CONFIG', `config.cookies.eggFormat is ${JSON.stringify(given)}`, {
    where: 'config.cookies.eggFormat',
    fix: "Use 'read', 'write' or false.",
  });
}

/**
 * Encrypts cookies with AES-256-GCM: a value that was changed, cut or moved to a cookie of another name is not decrypted. Nonces are random, so
 * one key is good for about 2^32 cookies.
 *
 * Egg's format is AES-256-CBC, with key and IV derived from a configured key by OpenSSL's `EVP_BytesToKey`, as URL-safe base64.
 */
export class CookieCipher {
  readonly #secrets: readonly string[];
  readonly #eggFormat: EggFormat;
  #keys: readonly Buffer[] | undefined;
  #eggKeys: readonly EggKey[] | undefined;

  /** @param secrets the first one encrypts, all of them decrypt */
  constructor(secrets: readonly string[], eggFormat: EggFormat) {
    this.#secrets = secrets;
    this.#eggFormat = eggFormat;
  }

  /** @param name of the cookie */
  encrypt(text: string, name: string): string {
    if (this.#eggFormat === 'write') return encryptForEgg(text, this.#keysOfEgg()[0] as EggKey);
    const nonce = crypto().randomBytes(NONCE_BYTES);
    const cipher = crypto()
      .createCipheriv(CIPHER, this.#ownKeys()[0] as Buffer, nonce)
      .setAAD(Buffer.from(name));
    const bytes = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return PREFIX + Buffer.concat([nonce, cipher.getAuthTag(), bytes]).toString('base64url');
  }

  /** @returns undefined if no key decrypts the value */
  decrypt(value: string, name: string): string | undefined {
    if (value.startsWith(PREFIX)) {
      const bytes = Buffer.from(value.slice(PREFIX.length), 'base64url');
      if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
      return firstOf(this.#ownKeys(), (key) => decrypt(bytes, key, name));
    }
    if (this.#eggFormat === false) return undefined;
    const bytes = Buffer.from(value, 'base64url');
    return firstOf(this.#keysOfEgg(), (key) => decryptFromEgg(bytes, key));
  }

  #ownKeys(): readonly Buffer[] {
    return (this.#keys ??= this.#secrets.map((secret) =>
      Buffer.from(crypto().hkdfSync('sha256', secret, '', PURPOSE, KEY_BYTES)),
    ));
  }

  #keysOfEgg(): readonly EggKey[] {
    return (this.#eggKeys ??= this.#secrets.map(deriveForEgg));
  }
}

/** @returns what the first key decrypts that does not throw: others are of another key, or the value is forged */
function firstOf<K>(keys: readonly K[], decryptWith: (key: K) => string): string | undefined {
  for (const key of keys) {
    try {
      return decryptWith(key);
    } catch {
      // Try the next key.
    }
  }
  return undefined;
}

function decrypt(bytes: Buffer, key: Buffer, name: string): string {
  const decipher: DecipherGCM = crypto()
    .createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(name))
    .setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  const text = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES));
  return Buffer.concat([text, decipher.final()]).toString();
}

interface EggKey {
  key: Buffer;
  iv: Buffer;
}

function encryptForEgg(text: string, { key, iv }: EggKey): string {
  const cipher = crypto().createCipheriv(EGG_CIPHER, key, iv);
  const bytes = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

function decryptFromEgg(bytes: Buffer, { key, iv }: EggKey): string {
  const decipher = crypto().createDecipheriv(EGG_CIPHER, key, iv);
  return Buffer.concat([decipher.update(bytes), decipher.final()]).toString();
}

function deriveForEgg(secret: string): EggKey {
  let bytes = Buffer.alloc(0);
  let last = Buffer.alloc(0);
  while (bytes.length < KEY_BYTES + EGG_IV_BYTES) {
    last = crypto().createHash('md5').update(last).update(secret).digest();
    bytes = Buffer.concat([bytes, last]);
  }
  return { key: bytes.subarray(0, KEY_BYTES), iv: bytes.subarray(KEY_BYTES, KEY_BYTES + EGG_IV_BYTES) };
}
