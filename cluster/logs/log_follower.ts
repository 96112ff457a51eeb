import { type FileHandle, open, stat } from 'node:fs/promises';
import path from 'node:path';
import type { LogFilter } from './log_filter.js';
import { beginsEntry, type LogEntry, parseEntry } from './log_line.js';
import { Duplicates, mergeEntries } from './merge_entries.js';
import type { LogPosition } from './read_logs.js';

/** Milliseconds between two looks at files that are followed. */
const POLL = 200;
/** Polls in which an entry may get more lines. */
const QUIET_POLLS = 1;
/** Polls in which a file that was renamed is still read: its processes notice when they write next. */
const RENAMED_POLLS = 25;
/** Bytes that are read of a file at a time. */
const BLOCK = 1024 * 1024;

interface FollowOptions {
  /** The logs there are, asked again as new ones appear. */
  list(): string[];
  /** Up to where they have been read; others are read from their begin. */
  positions: readonly LogPosition[];
  filter?: LogFilter;
  onEntries(entries: LogEntry[]): void;
}

/** Reads what is appended to logs, in the order of their times, also after they were rotated, truncated or made. */
export class LogFollower {
  readonly #options: FollowOptions;
  readonly #followed = new Set<FollowedFile>();
  readonly #duplicates = new Duplicates();
  #positions: readonly LogPosition[];
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#positions = options.positions;
    void this.#poll();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const file of this.#followed) file.close();
  }

  async #poll(): Promise<void> {
    await this.#openNew();
    const { filter = () => true, onEntries } = this.#options;
    const entries: LogEntry[] = [];
    for (const file of this.#followed) {
      entries.push(...(await file.read()));
      if (!file.isOver) continue;
      file.close();
      this.#followed.delete(file);
    }
    if (this.#isClosed) return this.close();
    const wanted = mergeEntries(entries, this.#duplicates).filter(filter);
    if (wanted.length > 0) onEntries(wanted);
    this.#timer = setTimeout(() => void this.#poll(), POLL);
  }

  async #openNew(): Promise<void> {
    const current = new Set([...this.#followed].filter((file) => !file.isRenamed).map(({ file }) => file));
    for (const file of this.#options.list()) {
      if (current.has(file)) continue;
      const opened = await FollowedFile.open(
        file,
        this.#positions.find((each) => each.file === file),
      );
      if (opened) this.#followed.add(opened);
    }
    this.#positions = [];
  }
}

/** One file that is followed; it stays the same when it is renamed. */
class FollowedFile {
  readonly file: string;
  /** Whether another file has its name. */
  isRenamed = false;
  readonly #handle: FileHandle;
  readonly #inode: number;
  readonly #log: string;
  #offset: number;
  /** Bytes of a line that is not complete. */
  #rest = Buffer.alloc(0);
  /** Lines of an entry that may get more. */
  #lines: string[] = [];
  #quietPolls = 0;

  private constructor(file: string, handle: FileHandle, inode: number, offset: number) {
    this.file = file;
    this.#handle = handle;
    this.#inode = inode;
    this.#offset = offset;
    this.#log = path.basename(file);
  }

  /** @returns undefined when the file is gone or may not be read */
  static async open(file: string, position: LogPosition | undefined): Promise<FollowedFile | undefined> {
    try {
      const handle = await open(file);
      const { ino } = await handle.stat();
      return new FollowedFile(file, handle, ino, position?.inode === ino ? position.offset : 0);
    } catch {
      return undefined;
    }
  }

  get isOver(): boolean {
    return this.isRenamed && this.#quietPolls > RENAMED_POLLS;
  }

  close(): void {
    this.#handle.close().catch(() => undefined);
  }

  /** @returns the entries that are complete */
  async read(): Promise<LogEntry[]> {
    const lines = await this.#newLines().catch(() => []);
    const entries: LogEntry[] = [];
    for (const line of lines) {
      if (beginsEntry(line)) this.#complete(entries);
      if (line !== '' || this.#lines.length > 0) this.#lines.push(line);
    }
    this.#quietPolls = lines.length > 0 ? 0 : this.#quietPolls + 1;
    if (this.#quietPolls >= QUIET_POLLS) this.#complete(entries);
    return entries;
  }

  #complete(entries: LogEntry[]): void {
    if (this.#lines.length > 0) entries.push(parseEntry(this.#lines, this.#log, Date.now()));
    this.#lines = [];
  }

  async #newLines(): Promise<string[]> {
    const { size } = await this.#handle.stat();
    if (size < this.#offset) {
      this.#offset = 0;
      this.#rest = Buffer.alloc(0);
    }
    const block = Buffer.alloc(Math.min(BLOCK, size - this.#offset));
    const { bytesRead } = await this.#handle.read(block, 0, block.length, this.#offset);
    this.#offset += bytesRead;
    const now = await stat(this.file).catch(() => undefined);
    this.isRenamed = now?.ino !== this.#inode;
    const bytes = Buffer.concat([this.#rest, block.subarray(0, bytesRead)]);
    const end = bytes.lastIndexOf(10) + 1;
    this.#rest = bytes.subarray(end);
    return end === 0 ? [] : bytes.toString('utf8', 0, end - 1).split('\n');
  }
}
