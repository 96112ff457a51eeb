// Loaded with the first encrypted cookie.
const crypto = () => process.getBuiltinModule('node:crypto');

const CIPHER = 'aes-256-cbc';
const KEY_BYTES = 32;
const IV_BYTES = 16;

/**
 * Encrypts cookies in Egg's format, so that sessions survive a move to Clutch: AES-256-CBC, with key and IV derived from a
 * configured key by OpenSSL's `EVP_BytesToKey`, as URL-safe base64.
 */
export class CookieCipher {
  readonly #keys: { key: Buffer; iv: Buffer }[];

  /** @param keys the first one encrypts, all of them decrypt */
  constructor(keys: string[]) {
    this.#keys = keys.map(derive);
  }

  encrypt(text: string): string {
    const { key, iv } = this.#keys[0] as { key: Buffer; iv: Buffer };
    const cipher = crypto().createCipheriv(CIPHER, key, iv);
    const bytes = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_');
  }

  /** @returns undefined if no key decrypts the value */
  decrypt(value: string): string | undefined {
    const bytes = Buffer.from(value, 'base64url');
    for (const { key, iv } of this.#keys) {
      try {
        const decipher = crypto().createDecipheriv(CIPHER, key, iv);
        return Buffer.concat([decipher.update(bytes), decipher.final()]).toString();
      } catch {
        // Encrypted with another key, or forged.
      }
    }
    return undefined;
  }
}

function derive(secret: string): { key: Buffer; iv: Buffer } {
  let bytes = Buffer.alloc(0);
  let last = Buffer.alloc(0);
  while (bytes.length < KEY_BYTES + IV_BYTES) {
    last = crypto().createHash('md5').update(last).update(secret).digest();
    bytes = Buffer.concat([bytes, last]);
  }
  return { key: bytes.subarray(0, KEY_BYTES), iv: bytes.subarray(KEY_BYTES, KEY_BYTES + IV_BYTES) };
}
