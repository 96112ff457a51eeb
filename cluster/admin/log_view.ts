import { maskText } from '../../output/secrets.js';
import { logFiles } from '../logs/log_files.js';
import { LogFollower } from '../logs/log_follower.js';
import { type LogEntry, type LogLine, toLogLine } from '../logs/log_line.js';
import { readLogs } from '../logs/read_logs.js';
import type { MasterLine } from './page_source.js';

/** Lines that are kept; a visitor gets so many at first. */
const MOST_LINES = 500;
/** Characters of a line. */
const LONGEST_LINE = 8000;
/** Bytes of each log in which the first lines are searched. */
const FIRST_BYTES = 1024 * 1024;
/** Milliseconds without a visitor after which the logs are no longer followed. */
const IDLE = 10_000;

interface LogSources {
  /** Where the app has its logs; undefined if that is not known yet. */
  directory(): Promise<string | undefined>;
  /** What the Master has printed last, the newest last. */
  masterLines(): readonly MasterLine[];
}

/** The last lines of the app's logs and of the Master. The files are followed while somebody looks. */
export class LogView {
  readonly #sources: LogSources;
  #lines: LogLine[] = [];
  /** How many lines there have been. */
  #count = 0;
  /** Number of the last line of the Master that is among them. */
  #masterCount = 0;
  #directory: string | undefined;
  #follower: Promise<LogFollower> | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(sources: LogSources) {
    this.#sources = sources;
  }

  /** How many lines there have been until now, for `since`. */
  get count(): number {
    return this.#count;
  }

  /** @returns the lines that have come after the first `count`, as far as they are kept */
  since(count: number): LogLine[] {
    const missing = Math.min(this.#count - count, this.#lines.length);
    return missing <= 0 ? [] : this.#lines.slice(-missing);
  }

  /** @returns the last lines; the same array as before if there is no new one */
  async read(): Promise<LogLine[]> {
    const directory = (await this.#sources.directory()) ?? this.#directory;
    if (directory !== this.#directory) this.close();
    this.#directory = directory;
    if (directory !== undefined) this.#follower ??= this.#follow(directory);
    this.#idle ??= setTimeout(() => this.close(), IDLE).unref();
    this.#idle.refresh();
    await this.#follower;
    this.#addMasterLines();
    return this.#lines;
  }

  async #follow(directory: string): Promise<LogFollower> {
    const list = (): string[] => logFiles(directory);
    const { entries, positions } = await readLogs(list(), { count: MOST_LINES, limit: FIRST_BYTES });
    this.#lines = [];
    // Those of the Master belong between them.
    this.#masterCount = 0;
    const before = this.#takeMasterLines().map((line) => ({ time: Date.parse(line.at), line }));
    const all = [...entries.map((entry) => ({ time: entry.time, line: shown(entry) })), ...before];
    this.#add(all.sort((a, b) => a.time - b.time).map(({ line }) => line));
    return new LogFollower({ list, positions, onEntries: (more) => this.#add(more.map(shown)) });
  }

  #takeMasterLines(): LogLine[] {
    const lines = this.#sources.masterLines().filter(({ number }) => number > this.#masterCount);
    this.#masterCount = lines.at(-1)?.number ?? this.#masterCount;
    return lines.map(({ at, level, text }) => ({
      at: new Date(at).toISOString(),
      pid: process.pid,
      level,
      log: 'stdout',
      text: maskText(text).slice(0, LONGEST_LINE),
    }));
  }

  #addMasterLines(): void {
    const lines = this.#takeMasterLines();
    if (lines.length > 0) this.#add(lines);
  }

  #add(lines: LogLine[]): void {
    this.#lines = [...this.#lines, ...lines].slice(-MOST_LINES);
    this.#count += lines.length;
  }

  close(): void {
    clearTimeout(this.#idle);
    this.#idle = undefined;
    void this.#follower?.then((follower) => follower.close());
    this.#follower = undefined;
  }
}

function shown(entry: LogEntry): LogLine {
  const line = toLogLine(entry);
  return { ...line, text: maskText(line.text).slice(0, LONGEST_LINE) };
}
