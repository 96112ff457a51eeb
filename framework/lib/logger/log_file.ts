import { type BigIntStats, closeSync, constants, fstatSync, openSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';
import { keepLine } from '../../../ipc/recent_lines.js';
import { makeDirectory } from '../../../output/make_directory.js';
import { stderr } from '../../../output/stdio.js';
import { timestamp } from '../../../output/timestamp.js';
import { encodeText } from './encoding.js';

/** Characters after which a buffered file is written at once. */
const BATCH = 64 * 1024;
/** Milliseconds that a line waits in a buffered file at most; a process killed with SIGKILL loses these. */
const FLUSH_INTERVAL = 100;
/** Characters kept for a file that cannot be written; lines beyond are counted as lost. */
const MAX_WAITING = 4 * 1024 * 1024;
/** Milliseconds until a file that cannot be written is tried again; doubled each time. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 10_000;
/** Milliseconds within which a second outage is neither reported nor begins with a short pause. */
const SAME_OUTAGE = 60_000;

/** Not blocking: a FIFO that nobody reads is an error, not the end of the event loop. */
const OPEN = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

type FileState = 'closed' | 'open' | 'failing';

/**
 * A file that lines are appended to. It is written synchronously, a batch at a time, so that no line is under way when
 * the process ends. A file that was renamed or removed is opened anew before the next batch; one that cannot be
 * written keeps a bounded number of lines and is tried again with growing pauses. Nothing here ever throws.
 */
export class LogFile {
  readonly file: string;
  readonly #encoding: string;
  readonly #onOpen: (file: LogFile) => void;
  #state: FileState = 'closed';
  #fd = -1;
  /** As bigint, like every look at a log: see `isFile` in output/stdio.ts. */
  #opened: BigIntStats | undefined;
  #waiting = '';
  #waitingLines = 0;
  /** What a write that failed half way has left. */
  #rest: Buffer | undefined;
  #restLines = 0;
  #timer: NodeJS.Timeout | undefined;
  #pause = FIRST_PAUSE;
  #retryAt = Number.NEGATIVE_INFINITY;
  /** Whether this is the file that reported the outage. */
  #reports = false;
  #lost = 0;
  #lostInOutage = 0;
  #reason = '';

  /** @param onOpen called when lines begin to wait for this file */
  constructor(file: string, encoding: string, onOpen: (file: LogFile) => void) {
    this.file = file;
    this.#encoding = encoding;
    this.#onOpen = onOpen;
  }

  get lostLines(): number {
    return this.#lost;
  }

  /** @returns how many lines were lost and not reported yet, and why; they count as reported then */
  takeLoss(): { lines: number; reason: string } {
    const lines = this.#lostInOutage;
    this.#lostInOutage = 0;
    return { lines, reason: this.#reason };
  }

  /** @param line with its line feed */
  write(line: string, buffered: boolean): void {
    keepLine(line);
    if (this.#state === 'failing') {
      if (this.#waiting.length + line.length > MAX_WAITING) this.#lose(1);
      else this.#wait(line);
      return;
    }
    this.#wait(line);
    if (!buffered || this.#waiting.length >= BATCH) this.flush();
    else if (!this.#timer) {
      this.#onOpen(this);
      this.#timer = setTimeout(() => this.flush(), FLUSH_INTERVAL);
      this.#timer.unref();
    }
  }

  #wait(line: string): void {
    this.#waiting += line;
    this.#waitingLines += 1;
  }

  /** Writes what waits. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waitingLines === 0 && !this.#rest) return;
    try {
      this.#open();
      this.#writeAll();
      if (this.#state === 'failing') this.#recover();
    } catch (error) {
      this.#fail(error as NodeJS.ErrnoException);
    }
  }

  #writeAll(): void {
    if (this.#rest) this.#writeBytes(this.#rest);
    if (this.#waitingLines === 0) return;
    const bytes = encode(this.#waiting, this.#encoding);
    const lines = this.#waitingLines;
    this.#waiting = '';
    this.#waitingLines = 0;
    try {
      this.#writeBytes(bytes);
    } catch (error) {
      this.#restLines = lines;
      throw error;
    }
  }

  #writeBytes(bytes: Buffer): void {
    let at = 0;
    try {
      while (at < bytes.length) at += writeSync(this.#fd, bytes, at);
      this.#rest = undefined;
      this.#restLines = 0;
    } catch (error) {
      this.#rest = Buffer.from(bytes.subarray(at));
      throw error;
    }
  }

  /** Opens the file if it is not, or is no longer the one at its path. */
  #open(): void {
    if (this.#fd < 0) this.#attach(openLog(this.file));
    else if (this.#hasMoved()) this.#replace();
  }

  #attach(fd: number): void {
    this.#fd = fd;
    this.#opened = fstatSync(fd, { bigint: true });
    if (this.#state === 'closed') this.#state = 'open';
    this.#onOpen(this);
  }

  #hasMoved(): boolean {
    try {
      const now = statSync(this.file, { bigint: true, throwIfNoEntry: false });
      return now === undefined || now.ino !== this.#opened?.ino || now.dev !== this.#opened.dev;
    } catch (error) {
      // In a directory that may not be searched any more, the file can still be the same.
      return (error as NodeJS.ErrnoException).code !== 'EACCES';
    }
  }

  /** As long as the old file has a name, lines are better there than nowhere. */
  #replace(): void {
    const old = this.#fd;
    try {
      this.#attach(openLog(this.file));
    } catch (error) {
      if (fstatSync(old, { bigint: true }).nlink > 0n) {
        this.#report(error as NodeJS.ErrnoException);
        return;
      }
      this.#fd = -1;
      closeSync(old);
      throw error;
    }
    closeSync(old);
  }

  #fail(error: NodeJS.ErrnoException): void {
    const now = Date.now();
    this.#reason = error.message;
    if (this.#state !== 'failing') {
      this.#report(error);
      if (now - this.#retryAt > SAME_OUTAGE) this.#pause = FIRST_PAUSE;
      this.#state = 'failing';
    }
    if (now >= this.#retryAt) {
      this.#retryAt = now + this.#pause;
      this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
    }
    this.#onOpen(this);
    this.#timer = setTimeout(() => this.flush(), this.#retryAt - now);
    this.#timer.unref();
  }

  #report(error: NodeJS.ErrnoException): void {
    const outage = `${path.dirname(this.file)} ${error.code}`;
    const now = Date.now();
    if (now - (reported.get(outage) ?? Number.NEGATIVE_INFINITY) < SAME_OUTAGE) return;
    reported.set(outage, now);
    this.#reports = true;
    stderr().write(
      notice(
        `the log ${this.file} cannot be written: ${error.message}; lines wait in memory, up to 4 MiB. Let this user write there, or set config.logger.dir.`,
      ),
    );
  }

  #recover(): void {
    this.#state = 'open';
    const { lines: lost } = this.takeLoss();
    const lines = `${lost === 1 ? '1 line was' : `${lost} lines were`} lost`;
    if (this.#reports || lost > 0) stderr().write(notice(`the log ${this.file} is written again; ${lines}`));
    this.#reports = false;
    if (lost > 0) this.write(notice(`${lines}: ${this.#reason}`), false);
  }

  #lose(lines: number): void {
    this.#lost += lines;
    this.#lostInOutage += lines;
  }

  /** Opens the file anew; called after it was renamed. */
  reopen(): void {
    this.flush();
    if (this.#state !== 'open') return;
    try {
      this.#replace();
    } catch (error) {
      this.#fail(error as NodeJS.ErrnoException);
    }
  }

  /** Writes what waits, counts what cannot be written as lost, and closes; a later line opens the file again. */
  close(): void {
    this.flush();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#lose(this.#waitingLines + this.#restLines);
    this.#waiting = '';
    this.#waitingLines = this.#restLines = 0;
    this.#rest = undefined;
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
    this.#state = 'closed';
  }
}

/** Holds the bytes of a batch while they are written: a new buffer for each costs more than the write. */
let scratch: Buffer | undefined;
/** On Node 20 twice as fast as `Buffer.write`. */
const encoder = new TextEncoder();

function encode(text: string, encoding: string): Buffer {
  // A character takes three bytes at most.
  if (encoding !== 'utf8' || text.length > BATCH * 2) return encodeText(text, encoding);
  scratch ??= Buffer.allocUnsafeSlow(BATCH * 6);
  return scratch.subarray(0, encoder.encodeInto(text, scratch).written);
}

/** When an outage was reported, by directory and error code: one line for all the logs of a directory. */
const reported = new Map<string, number>();

/** Readable by the group, for tools that collect logs, and by nobody else. */
function openLog(file: string): number {
  try {
    return openSync(file, OPEN, 0o640);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    makeDirectory(path.dirname(file));
    return openSync(file, OPEN, 0o640);
  }
}

export function notice(text: string): string {
  return `${timestamp()} WARN ${process.pid} [clutch] ${text}\n`;
}
