import { fstatSync, writeSync } from 'node:fs';
import tty from 'node:tty';
import { isMainThread } from 'node:worker_threads';

/** Bytes that wait for a slow reader at most; what is written beyond is counted as lost. */
const MAX_WAITING = 1024 * 1024;
/** Milliseconds until a file that could not be written is tried again. */
const PAUSE = 100;
const COLORS: Record<string, string> = { ERROR: '\u001b[31m', WARN: '\u001b[33m' };

/** Milliseconds for which a second outage is not reported. */
const QUIET = 60_000;

/**
 * Writes lines to stdout or stderr. It never throws, waits for no reader and holds a bounded amount of memory; lines
 * that cannot be written are counted, and the reason is printed once, when it can be.
 */
export class Output {
  readonly #fd: 1 | 2;
  /** Absent for a file, to which is written directly: Node's stream for it ends for ever with the first error. */
  readonly #stream: NodeJS.WriteStream | undefined;
  #lost = 0;
  /** Lines lost since the last one that was written. */
  #missing = 0;
  #reason = '';
  /** Milliseconds since the epoch, of a file that could not be written. */
  #retryAt = 0;
  #isGone = false;
  #quietUntil = 0;

  constructor(fd: 1 | 2) {
    this.#fd = fd;
    const stream = fd === 1 ? process.stdout : process.stderr;
    // An error must not take the process with it, also if the app writes to the stream itself.
    stream.on('error', ({ message }) => this.#onStreamError(message));
    if (!isFile(fd)) this.#stream = stream;
  }

  /** A reader that has gone does not come back. */
  #onStreamError(reason: string): void {
    if (!this.#stream) return;
    this.#isGone = true;
    this.#lose(reason);
  }

  get lostLines(): number {
    return this.#lost;
  }

  /** Writes a log line, in the colour of its level where colours are wanted. @param line with its line feed */
  writeLog(level: string, line: string): void {
    const color = this.#hasColors ? COLORS[level] : undefined;
    this.write(color ? `${color}${line.slice(0, -1)}\u001b[39m\n` : line);
  }

  /** On a terminal, unless NO_COLOR has any value: https://no-color.org */
  get #hasColors(): boolean {
    return this.#stream?.isTTY === true && !process.env['NO_COLOR'];
  }

  /** @param line with its line feed */
  write(line: string): void {
    const text =
      this.#missing > 0 ? `${this.#missing} lines before this one were lost: ${this.#reason}\n${line}` : line;
    if (!this.#stream) this.#writeFile(text);
    else if (this.#isGone) this.#lose(this.#reason);
    else if (this.#stream.writableLength > MAX_WAITING) this.#lose('the reader is too slow');
    else {
      this.#stream.write(text);
      this.#missing = 0;
    }
  }

  #writeFile(text: string): void {
    if (this.#missing > 0 && Date.now() < this.#retryAt) {
      this.#lose(this.#reason);
      return;
    }
    try {
      writeSync(this.#fd, text);
      this.#missing = 0;
    } catch (error) {
      this.#retryAt = Date.now() + PAUSE;
      this.#lose((error as Error).message);
    }
  }

  #lose(reason: string): void {
    this.#reason = reason;
    this.#lost += 1;
    this.#missing += 1;
    if (this.#fd === 1 && this.#missing === 1 && Date.now() > this.#quietUntil) {
      this.#quietUntil = Date.now() + QUIET;
      stderr().write(`stdout cannot be written: ${reason}; lines are dropped\n`);
    }
  }
}

/** Threads have no descriptors of their own. */
function isFile(fd: number): boolean {
  if (!isMainThread || tty.isatty(fd)) return false;
  // As bigint: Node keeps the last plain result of a stat, and its `require` takes a symlink for a file after that of a pipe.
  const stat = fstatSync(fd, { bigint: true });
  return !stat.isFIFO() && !stat.isSocket();
}

let out: Output | undefined;
let err: Output | undefined;

/** The one of this process. */
export function stdout(): Output {
  return (out ??= new Output(1));
}

export function stderr(): Output {
  return (err ??= new Output(2));
}

/** @returns lines for stdout and stderr that this process could not write */
export function lostOutput(): number {
  return (out?.lostLines ?? 0) + (err?.lostLines ?? 0);
}
