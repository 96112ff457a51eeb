import { randomFillSync } from 'node:crypto';
import { SECRET_LENGTH } from './secret.js';

/** base64url: one of 64 characters for six random bits. */
const CHARACTERS = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');
/** Lines that are made at a time: drawing random bytes for one of them takes longer than all else that is done for it. */
const COUNT = 256;
const random = Buffer.alloc(COUNT * SECRET_LENGTH);

/** `Set-Cookie` lines with a new secret each. A line and its secret are pieces of one text, which costs no concatenation. */
export class CookieLines {
  readonly #lines: Buffer;
  readonly #secretStart: number;
  readonly #length: number;
  #text = '';
  #next = 0;

  /**
   * @param prefix of the line, up to the secret
   * @param suffix what comes after the secret, without the end of the line
   */
  constructor(prefix: string, suffix: string) {
    const line = `${prefix}${'x'.repeat(SECRET_LENGTH)}${suffix}\r\n`;
    this.#lines = Buffer.from(line.repeat(COUNT), 'latin1');
    this.#secretStart = prefix.length;
    this.#length = line.length;
  }

  /** Makes the next line the current one. */
  advance(): void {
    this.#next += this.#length;
    if (this.#next >= this.#text.length) this.#fill();
  }

  /** The current line. */
  get line(): string {
    return this.#text.slice(this.#next, this.#next + this.#length);
  }

  /** The secret in the current line. */
  get secret(): string {
    const start = this.#next + this.#secretStart;
    return this.#text.slice(start, start + SECRET_LENGTH);
  }

  #fill(): void {
    randomFillSync(random);
    const lines = this.#lines;
    let from = 0;
    for (let start = this.#secretStart; start < lines.length; start += this.#length) {
      const end = start + SECRET_LENGTH;
      for (let index = start; index < end; index += 1) {
        lines[index] = CHARACTERS[(random[from] as number) & 63] as number;
        from += 1;
      }
    }
    this.#text = this.#lines.toString('latin1');
    this.#next = 0;
  }
}
