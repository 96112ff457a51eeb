import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { toError } from '../../errors.js';
import type { DeathRecord } from '../../ipc/death_record.js';

/** Records that are kept. */
const MOST = 100;

/** The Master, or the only process, that writes the file, until it ends in an orderly way. */
interface RunningMaster {
  pid: number;
  startedAt: string;
  kind?: 'master' | 'single';
}

interface Content {
  master?: RunningMaster;
  deaths: DeathRecord[];
}

function fileOf(baseDir: string): string {
  return path.join(baseDir, 'run/deaths.json');
}

/** @returns the last processes of an app that have ended, the newest last; none if the file is not there */
export function readDeaths(baseDir: string): DeathRecord[] {
  return readContent(fileOf(baseDir)).deaths;
}

function readContent(file: string): Content {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { deaths: [] };
    throw error;
  }
  const { master, deaths } = JSON.parse(text) as Partial<Content>;
  return { ...(master ? { master } : {}), deaths: Array.isArray(deaths) ? deaths.filter(isRecord) : [] };
}

function isRecord(given: unknown): given is DeathRecord {
  const { at, kind, pid, reason, text, lines } = (given ?? {}) as Partial<DeathRecord>;
  const hasTexts = [at, kind, reason, text].every((each) => typeof each === 'string');
  return hasTexts && typeof pid === 'number' && Array.isArray(lines);
}

/** @returns the last records of both, the newest last; those that are in both are there once */
function merged(written: DeathRecord[], added: DeathRecord[]): DeathRecord[] {
  const keyOf = ({ at, pid }: DeathRecord): string => `${at} ${pid}`;
  const all = new Map([...written, ...added].map((record) => [keyOf(record), record]));
  return [...all.values()].sort((a, b) => a.at.localeCompare(b.at)).slice(-MOST);
}

/**
 * The last deaths, on disk: a file that only this user can read, replaced as a whole. While one Master replaces another, both
 * add to it. The service goes on if it cannot be written; that is logged once.
 */
export class DeathFile {
  readonly #file: string;
  readonly #warn: (message: string) => void;
  /** By this Master. */
  #added: DeathRecord[] = [];
  #running: RunningMaster | undefined;
  #state: 'saved' | 'changed' = 'saved';
  #isFailing = false;
  /** The Master that wrote the file last, unless it has ended in an orderly way. */
  readonly former: RunningMaster | undefined;

  constructor(baseDir: string, warn: (message: string) => void) {
    this.#file = fileOf(baseDir);
    this.#warn = warn;
    try {
      this.former = readContent(this.#file).master;
    } catch (error) {
      warn(`${this.#file} cannot be read, and its records are lost: ${toError(error).message}`);
    }
    process.once('exit', () => {
      if (this.#state !== 'saved') this.#write();
    });
  }

  /** @param running this Master, until it ends in an orderly way */
  set running(running: RunningMaster | undefined) {
    this.#running = running;
    this.#save();
  }

  add(record: DeathRecord): void {
    this.#added = [...this.#added, record].slice(-MOST);
    this.#save();
  }

  /** What ends in one event-loop iteration is written once. */
  #save(): void {
    if (this.#state === 'changed') return;
    this.#state = 'changed';
    setImmediate(() => this.#write());
  }

  #write(): void {
    this.#state = 'saved';
    const temporary = `${this.#file}.${process.pid}`;
    try {
      mkdirSync(path.dirname(this.#file), { recursive: true });
      writeFileSync(temporary, `${JSON.stringify(this.#content())}\n`, { mode: 0o600 });
      renameSync(temporary, this.#file);
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) this.#warn(`${this.#file} cannot be written: ${toError(error).message}`);
      this.#isFailing = true;
    }
  }

  #content(): Content {
    let written: Content = { deaths: [] };
    try {
      written = readContent(this.#file);
    } catch {
      // The constructor has reported it.
    }
    const master = this.#running ?? (written.master?.pid === process.pid ? undefined : written.master);
    return { ...(master ? { master } : {}), deaths: merged(written.deaths, this.#added) };
  }
}
